#!/bin/sh
# What GitHub is told of a pipeline: findings beside the lines, and the plan as a comment.
# With `gh`, which its runners have, and the job's own GH_TOKEN. The first word says which:
#
#   sh ci/github.sh annotate    .policy-results/check.sarif to code scanning
#   sh ci/github.sh comment     .policy-results/plan.md to the pull request PULL_REQUEST, one comment, kept up to date

set -eu

results=${POLICY_RESULTS:-.policy-results}
mark="<!-- remit plan -->"

cd "$(dirname "$0")/.."

case "${1:-}" in
  annotate)
    gzip -c "$results/check.sarif" | base64 | tr -d '\n' > "$results/check.sarif.gz.b64"
    gh api --method POST "repos/$GITHUB_REPOSITORY/code-scanning/sarifs" \
      -f commit_sha="$GITHUB_SHA" -f ref="$GITHUB_REF" -F sarif=@"$results/check.sarif.gz.b64"
    ;;
  comment)
    # A comment has at most 65,536 characters: `remit plan` keeps within them, and closes what it opens.
    echo "$mark" > "$results/comment.md"
    if [ -f "$results/plan.md" ]; then
      cat "$results/plan.md" >> "$results/comment.md"
    else
      # The comment of an earlier commit would be read as what this one does.
      echo "**No policy plan** could be made of ${GITHUB_SHA:-this commit}; the log of the job says why." >> "$results/comment.md"
    fi
    # Only a comment of the workflow's own: anybody may write one that begins so, and go on writing in it.
    known=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" \
      --jq ".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$mark\"))) | .id" | head -n 1)
    if [ -n "$known" ]; then
      gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" -F body=@"$results/comment.md"
    else
      gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" -F body=@"$results/comment.md"
    fi
    ;;
  *)
    echo "usage: sh ci/github.sh annotate|comment" >&2
    exit 2
    ;;
esac
