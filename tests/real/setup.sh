#!/usr/bin/env bash
# Installs the pinned public servers and clients into a cache folder, and says nothing when they are there already.
#
#   setup.sh [FOLDER]      default: target/real in the repository
#   setup.sh --check       installs nothing, and only says whether it could
#
# Exit code 69: npm or pip is missing, and the message says which.
set -euo pipefail

missing() {
    echo "tests/real: $1 is missing; the tests with real servers need npm, and Python 3.11 or newer with pip" >&2
    exit 69
}
command -v npm >/dev/null || missing npm
command -v python3 >/dev/null || missing python3
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || missing "Python 3.11"
python3 -m pip --version >/dev/null 2>&1 || missing pip

[[ ${1:-} != --check ]] || exit 0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../../target/real}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# What an installation was made from. Compiled packages belong to one Python and one platform.
node_wanted=$(cat "$here/package.json" "$here/package-lock.json" | cksum; uname -sm)

# A stamp is removed first and written last, so that an interrupted installation is never taken for a whole one.
if [[ $(cat "$folder/node.stamp" 2>/dev/null) != "$node_wanted" ]]; then
    rm -rf "$folder/node.stamp" "$folder/node"
    mkdir "$folder/node"
    cp "$here/package.json" "$here/package-lock.json" "$folder/node/"
    # No scripts of packages are run: none of these needs one. Node's own package says that npm's Node is too old for it.
    npm ci --prefix "$folder/node" --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$node_wanted" >"$folder/node.stamp"
fi

# A folder and not a virtual environment: that needs pip alone, on systems too that keep `venv` in a package of its own.
python_packages() {
    local name=$1 requirements=$2 wanted
    wanted=$(cksum <"$requirements"; uname -sm; python3 -VV; command -v python3)
    [[ $(cat "$folder/$name.stamp" 2>/dev/null) != "$wanted" ]] || return 0
    rm -rf "$folder/$name.stamp" "${folder:?}/$name"
    python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action ignore \
        --no-deps --require-hashes --only-binary :all: \
        --target "$folder/$name" --requirement "$requirements"
    echo "$wanted" >"$folder/$name.stamp"
}
python_packages python "$here/requirements.txt"
# The two lines of the SDK can't live in one folder.
python_packages python-1 "$here/clients/python-1.txt"
