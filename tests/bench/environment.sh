# shellcheck shell=bash
# What the benches share: the environment of the checkout, and words where it is not there. Sourced.

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
python=$root/.venv/bin/python
export PYTHONPATH=$root

needs() { # modules...: ends in a sentence where one is not installed
    local missing=$*
    if [ -x "$python" ]; then
        missing=$("$python" -c 'import importlib.util as util, sys
print(*(name for name in sys.argv[1:] if util.find_spec(name) is None))' "$@")
    fi
    [ -n "$missing" ] || return 0
    local way=--quick
    case " $missing " in *" ray "*) way=--ward ;; esac
    echo "tests/bench/${0##*/}: needs $missing, which deploy/run does not install; tests/run $way does, and runs the tests" >&2
    exit 1
}
