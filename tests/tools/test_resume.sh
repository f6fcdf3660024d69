#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# finetune, stopped by a signal and resumed: ends with the bytes of an undisturbed run. What is no such run is
# refused, and nothing is lost.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

set -- --weights "$weights" --id synthetic --limit 100 --batch 2 --steps 40

start() { # OUT LINES OPTION...: starts a long run and waits until it has done steps, told by the file LINES
    start_out=$1 start_lines=$2
    shift 2
    "$program" finetune "$@" --out "$start_out" >job.out 2>job.err </dev/null &
    job=$!
    tries=0
    while [ "$(cat "$start_lines" 2>/dev/null | wc -l)" -lt 3 ] && [ $tries -lt 600 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}
stop() { # ...: and stops it
    start "$@"
    kill -s TERM $job
    wait $job
}
stop stopped stopped/metrics.jsonl "$@"
check "SIGTERM is exit code 143" [ $? -eq 143 ]
check "the state is saved" [ -s stopped/checkpoint.safetensors ]
check "the lock is gone" [ ! -e stopped/.sft-vk-lock ]

# What differs is named, and the run stays as it was.
cp stopped/run.json run.json
expect 4 'other options.*--lr was 0.001 and is 0.5' finetune "$@" --lr 0.5 --out stopped --resume
expect 4 'contents of --id' finetune "$@" --limit 50 --out stopped --resume
expect 4 '--schedule was constant and is cosine.*depends on --steps' finetune "$@" --steps 50 \
    --schedule cosine --out stopped --resume
expect 2 'in use' eval --weights "$weights" --id synthetic#test --ood n=synthetic:noise --limit 8 \
    --out stopped
check "a run that was refused changes nothing" same run.json stopped/run.json

# A damaged state is no state.
cp -r stopped damaged
size=$(wc -c <damaged/checkpoint.safetensors)
printf '\377' | dd of=damaged/checkpoint.safetensors bs=1 seek=$((size - 1001)) conv=notrunc 2>/dev/null
expect 4 'checkpoint.safetensors: damaged' finetune "$@" --out damaged --resume

# The same run in other words.
cp "$weights" w.safetensors
expect 0 'resumed at step' finetune --weights w.safetensors --id 'synthetic#train[:100]' --batch 2 \
    --steps 40 --model resnetv2_20_gn --pseudo-mode jigsaw --out stopped --resume
expect 0 . finetune "$@" --out whole
check "a resumed run ends with the same bytes" same stopped/model.safetensors whole/model.safetensors
check "a resumed run has a line a step" [ "$(wc -l <stopped/metrics.jsonl)" -eq 40 ]

# More steps at a constant rate; what is done is done.
expect 2 'has done all its steps' finetune "$@" --out stopped --resume --dump-gradients g.safetensors
check "no gradient of nothing" [ ! -e g.safetensors ]
expect 0 'resumed at step 40 of 42' finetune "$@" --steps 42 --out stopped --resume
expect 4 'at step 42, beyond' finetune "$@" --out stopped --resume

# In the place of another run: that stays until the new one is whole.
stop whole whole/.sft-vk-next/metrics.jsonl "$@" --overwrite --steps 60
check "SIGTERM is exit code 143" [ $? -eq 143 ]
check "the earlier model stays" [ -s whole/model.safetensors ]
check "and its lines" [ "$(wc -l <whole/metrics.jsonl)" -eq 40 ]
expect 0 'resumed at step ([0-9]|[1-5][0-9]) of 60' finetune "$@" --steps 60 --out whole --resume
check "the resumed run takes its place" [ "$(wc -l <whole/metrics.jsonl)" -eq 60 ]
check "and leaves nothing behind" [ ! -e whole/.sft-vk-next ]
expect 5 . finetune "$@" --memory 1M --out whole --overwrite
check "one that fails leaves the other" [ "$(wc -l <whole/metrics.jsonl)" -eq 60 ]

# One writer a folder, until it is gone, however it goes.
start busy busy/metrics.jsonl "$@" --steps 1000000
expect 2 'process .* is writing there' finetune "$@" --steps 1 --out busy --overwrite
expect 2 'process .* is writing there' finetune "$@" --steps 1 --out busy --resume
kill -s KILL $job
wait $job 2>/dev/null
expect 0 . finetune "$@" --steps 1 --out busy --overwrite

# Nothing to go on with.
expect 0 'no checkpoint in typo' finetune "$@" --steps 1 --out typo --resume --quiet
mkdir foreign
echo mine >foreign/results.csv
expect 2 'by no run of sft-vk' finetune "$@" --out foreign --overwrite
expect 2 'by no run of sft-vk' finetune "$@" --out foreign --resume
check "files of others are left alone" has foreign/results.csv mine

# Cut into micro-batches, and gone on with where there is more memory: the same bytes.
set -- --weights "$weights" --id synthetic --limit 100 --batch 48
expect 0 'a step: [0-9]+ micro-batches of' finetune "$@" --steps 3 --memory 260M --out cut
check "run.json says so" has cut/run.json '"micro_batches": [2-9]'
expect 0 'micro-batches' finetune "$@" --steps 2 --memory 260M --out cut2
expect 0 'a step: [0-9]+ micro-batches of' finetune "$@" --steps 3 --out cut2 --resume
check "a resumed run is cut as it was" same cut/model.safetensors cut2/model.safetensors
# So large that it does not fit undivided, whatever the process itself takes.
set -- --weights "$weights" --id synthetic --limit 100 --batch 100
expect 0 'a step: undivided' finetune "$@" --steps 1 --out cut3
expect 0 'began with 1 micro-batches' finetune "$@" --steps 2 --out cut3 --resume --memory 230M

finish
