#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inspect and bench.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 'parameters' inspect resnetv2_20_gn --plan
expect 0 'resnetv2_20_gn' inspect "$weights"
expect 0 '"images": 10000' inspect synthetic --json
expect 4 . inspect no-such-file
expect 0 'relu' bench --ops relu --seconds 0.01
expect 2 'no op "rulu"' bench --ops rulu
echo '[' >damaged.json
expect 4 'compare' bench --ops relu --compare damaged.json

finish
