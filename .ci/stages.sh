# Sourced by .ci/run and .ci/night: runs stages, times them, and says at the end how each ended.
#
# A stage is one command, so that its exit code is the whole truth; a failed one does not keep the next from running.

passed=0 failed=0 skipped=0
closing=() failures=()

# stage NAME COMMAND [ARGUMENT]...
stage() {
    local name=$1 began=$SECONDS code=0
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" || code=$?
    if ((code == 0)); then
        passed=$((passed + 1))
        closing+=("$(printf 'passed   %5d s  %s' $((SECONDS - began)) "$name")")
    else
        failed=$((failed + 1))
        failures+=("$name")
        closing+=("$(printf 'FAILED   %5d s  %s (exit code %d)' $((SECONDS - began)) "$name" "$code")")
    fi
    printf '== %s: exit code %d after %d s\n' "$name" "$code" $((SECONDS - began))
    return "$code"
}

# skip NAME REASON
skip() {
    skipped=$((skipped + 1))
    closing+=("$(printf 'skipped           %s: %s' "$1" "$2")")
    printf '\n== %s: skipped: %s\n' "$1" "$2"
}

# Says how each stage ended, and ends the script with 1 if one failed.
close() {
    printf '\n'
    printf '%s\n' "${closing[@]}"
    printf '%d passed, %d failed, %d skipped in %d s\n' "$passed" "$failed" "$skipped" "$SECONDS"
    ((failed == 0)) && exit 0
    printf 'FAILED: %s\n' "${failures[@]}"
    exit 1
}
