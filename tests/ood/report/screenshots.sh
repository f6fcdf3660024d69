#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Looks at the report of a run in headless Chromium, 1280 and 400 pixels wide, light and dark, and keeps the
# pictures:
#
#     tests/ood/report/screenshots.sh RUN [FOLDER]        FOLDER: docs/pictures
#
# Fails on sideways scrolling, a message in the console, a request to the network, a page above 3 MB, a
# picture above 300 kB, a plot that is no XML. With AXE=axe.min.js (npm pack axe-core) also on a serious
# accessibility finding.
set -eu

[ $# -ge 1 ] || {
    echo "usage: screenshots.sh RUN [FOLDER]" >&2
    exit 2
}
here=$(dirname "$0")
run=$1
pictures=${2:-"$here/../../docs/pictures"}
mkdir -p "$pictures"

python=$(command -v /usr/bin/python3 || command -v python3)
"$python" "$here/browser.py" "$run/report.html" --pictures "$pictures" --height 1500 ${AXE:+--axe "$AXE"}

bad=0
largest() { # FILE BYTES
    [ "$(wc -c <"$1")" -le "$2" ] || {
        echo "$1: larger than $2 bytes" >&2
        bad=1
    }
}
largest "$run/report.html" 3000000
for picture in "$pictures"/report-*.png; do largest "$picture" 300000; done
find "$run/plots" -name '*.svg' -exec "$python" -c '
import sys, xml.dom.minidom
for name in sys.argv[1:]:
    xml.dom.minidom.parse(name)
print(len(sys.argv) - 1, "plots are well-formed XML")' {} + || bad=1
exit $bad
