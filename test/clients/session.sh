# shellcheck shell=bash
# session.sh   start of a client's session: its checks, within the TMP, FILES and server of run.sh
mine=$(mktemp -d "$TMP/s.$CLIENT.XXXXXX") # a directory for each pass
ca=${AWS_CA_BUNDLE:-}
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[ -z "$ca" ] || export AWS_CA_BUNDLE=$ca # which lib.sh takes away
TMP=$mine RESULTS=$mine/results; : >"$RESULTS"
SIZES="0 1 5242879 5242880 5242881 67108864"
big() { case " ${BIG:-} " in *" $CLIENT "*) true ;; *) false ;; esac; }
