#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Wrong usage of every kind: exit code 2 and a message that says what is wrong and what would be right.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

expect 2 'usage: sft-vk COMMAND'
expect 2 'no command "devises"; did you mean "devices"' devises
expect 2 'no command "zzzzzz"' zzzzzz
expect 2 'the command comes first' --json devices
expect 2 'no option --jsn; did you mean --json' devices --jsn
expect 2 'no option --frobnicate' devices --frobnicate
expect 2 'options have two dashes' devices -j
expect 2 'does not know what to do with "extra"' devices extra
expect 2 'needs FOLDER' report
expect 2 '--log: no "loud"' devices --log loud
expect 2 '--log: needs a value' devices --log
expect 2 '--json: "perhaps" is neither yes nor no' devices --json=perhaps
SFT_VK_LOG=loud expect 2 'SFT_VK_LOG: no "loud"' devices
SFT_VK_THREADS=many expect 2 'SFT_VK_THREADS: "many" is no whole number' inspect resnetv2_20_gn
expect 2 '--threads: -1 is out of range; give 0 to 256' inspect resnetv2_20_gn --threads -1
expect 2 '--threads: "2x" is no whole number' inspect resnetv2_20_gn --threads 2x
expect 2 '--memory: "much" is no size' inspect resnetv2_20_gn --memory much
expect 2 '--precision: no "f64"' inspect resnetv2_20_gn --precision f64
expect 2 '--batch: 0 is out of range' inspect resnetv2_20_gn --batch 0
expect 2 '--plan is for a model' inspect no_such_model --plan

# Numbers have points, wherever the machine stands. (Without this locale it is the C one.)
LC_ALL=de_DE.UTF-8 expect 2 '--lr: "1,5" is no number' finetune --lr 1,5
LC_ALL=de_DE.UTF-8 expect 2 '--lr: 101.5 is out of range' finetune --lr 101.5

# Settings from a file.
expect 4 'missing.ini' devices --config missing.ini
printf 'quiet = yes\n[devices]\njson = yes\n' >good.ini
expect 0 '"devices"' devices --config good.ini
printf 'jsn = yes\n' >slip.ini
expect 2 'slip.ini:1.*did you mean --json' devices --config slip.ini
printf '\n[devices]\nlog = loud\n' >bad.ini
expect 2 'bad.ini:3: log: no "loud"' devices --config bad.ini
printf 'just words\n' >words.ini
expect 2 'words.ini:1: neither' devices --config words.ini
printf '[devices\n' >section.ini
expect 2 'section.ini:1: a section' devices --config section.ini
printf 'batch = 8\n[finetune]\nnonsense = 1\n' >other.ini
expect 0 '.' devices --config other.ini

# What always works.
expect 0 'usage: sft-vk COMMAND' --help
expect 0 'Exit codes' help
expect 0 '^sft-vk [0-9]' --version
expect 0 'usage: sft-vk devices' devices --help
expect 0 'usage: sft-vk devices' help devices
expect 0 '^\.TH SFT' --man
expect 0 '^complete ' --completion
expect 0 'Examples:' inspect --batch nonsense --help
"$program" --completion >completion.bash
check "completion is a bash script" bash -n completion.bash

# What one copies from a page means the same to every shell: zsh makes patterns of # and [ ] and knows no
# comments.
unquoted() { sed "s/'[^']*'//g" | grep '[][#*?]'; }
for page in README.md models/README.md docs/results.md; do
    awk '/^```/ { code = !code && $0 == "```sh"; next } code' "$root/$page" | unquoted
    check "the examples of $page are quoted" [ $? -ne 0 ]
done
{
    "$program" --help
    for command in devices train finetune eval calibrate predict reproduce bench inspect report; do
        "$program" $command --help
    done
} | grep '^  sft-vk' | unquoted
check "the examples of --help are quoted" [ $? -ne 0 ]

# A reader that goes away is a failed write, not a crash.
"$program" --man | head -n 1 >/dev/null
{
    "$program" calibrate --weights "$weights" --id synthetic --limit 20 --out e.cal
    "$program" predict --weights "$weights" --calibration e.cal --images 'synthetic#test[0:200]' \
        --batch 10 2>err
    echo $? >code
} | head -n 1 >/dev/null
check "predict into head ends" [ "$(cat code)" -lt 128 ]
check "and is quiet" [ ! -s err ]
if [ -e /dev/full ]; then
    "$program" devices >/dev/full 2>err
    check "a full disk is exit code 6" [ $? -eq 6 ]
fi

finish
