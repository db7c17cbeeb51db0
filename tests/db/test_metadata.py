"""How constraints are named: a migration must be able to name what it changes."""

from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, Text, UniqueConstraint

from remit.db import metadata


def test_every_constraint_has_a_name_that_a_migration_can_use():
    own = MetaData(naming_convention=metadata.naming_convention)
    Table("parents", own, Column("id", Text, primary_key=True))
    child = Table(
        "children",
        own,
        Column("id", Text, primary_key=True),
        Column("name", Text),
        Column("parent_id", Text, ForeignKey("parents.id")),
        UniqueConstraint("name"),
        Index(None, "parent_id"),
    )
    assert {constraint.name for constraint in child.constraints} == {
        "pk_children",
        "uq_children_name",
        "fk_children_parent_id_parents",
    }
    assert [index.name for index in child.indexes] == ["ix_children_parent_id"]
