#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lets each call of a kind fail in turn, allocations by place and the others one by one, and looks what
# becomes of a command: a documented exit code and a message, no signal, no hang; with exit code 0 the right
# result, otherwise the old one or the new one, whole.
set -u

usage() {
    cat >&2 <<'END'
usage: tests/faults/sweep.sh PROGRAM COMMAND...
       tests/faults/sweep.sh all             every command of build/tools/sft-vk (half an hour)

COMMAND is finetune, eval, calibrate, predict, report or all. Variables:
  FAULTS   kinds of calls [alloc open write fsync rename mmap mkdir thread]
  STEP     only each STEP-th call [1]
  FIRST    starting with this one [1]
  LIBRARY  [tests/faults/fail.so in PROGRAM's build folder]
  KEEP     a folder where the odd ones out leave their messages and stacks
END
    exit 2
}

root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -gt 0 ] || usage
case $1 in
all) set -- "$root/build/tools/sft-vk" all ;;
-*) usage ;;
esac
[ $# -gt 1 ] || usage
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
[ "$1" != all ] || set -- finetune eval calibrate predict report
library=${LIBRARY:-$(dirname "$program")/../tests/faults/fail.so}
[ -x "$program" ] && [ -f "$library" ] || {
    echo "sweep.sh: $program or $library is missing: build them first" >&2
    exit 2
}
weights=$root/models/synthetic.safetensors
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
cd "$scratch" || exit 1
SFT_VK_DEVICE=cpu SFT_VK_THREADS=2
export SFT_VK_DEVICE SFT_VK_THREADS
unset SFT_VK_LOG

limit="timeout 120"

# ---- the commands: `run_NAME old` makes what lies there before, `run_NAME new` what takes its place ----

run_finetune() {
    steps=3
    [ "$1" = new ] || steps=2
    $limit "$program" finetune --weights "$weights" --id synthetic#train --limit 8 --batch 4 --steps $steps \
        --eval-id 'synthetic#test[0:8]' --eval-ood 'x=synthetic:letters[0:8]' --score energy,msp \
        --out run --overwrite --quiet
}
run_eval() {
    scores=energy,knn,react,odin,vim,ash_s
    [ "$1" = new ] || scores=msp
    $limit "$program" eval --weights "$weights" --id 'synthetic#test[0:8]' --ood 'x=synthetic:letters[0:8]' \
        --score $scores --fit 'synthetic#train[0:80]' --out run --overwrite --quiet
}
run_calibrate() {
    score=energy,knn
    [ "$1" = new ] || score=msp
    $limit "$program" calibrate --weights "$weights" --id 'synthetic#train[0:80]' --score $score \
        --out result --overwrite --quiet
}
run_predict() {
    output=features
    [ "$1" = new ] || output=logits
    $limit "$program" predict --weights "$weights" --images 'synthetic#test[0:8]' --output $output \
        --out result --overwrite --quiet
}
run_report() {
    if [ "$1" = old ]; then
        run_finetune new && rm -rf run/report.html run/plots && echo '<html></html>' >run/report.html
    else
        $limit "$program" report run --quiet
    fi
}

# ---- what is right ----

# Two folders hold the same, but for what tells the time and for an emptied folder that the next run removes.
same_results() {
    set -- "$@" -x .sft-vk-next
    for name in report.html examples.json metrics.jsonl run.json checkpoint.safetensors; do
        [ "$command" = report ] && [ "$name" = report.html ] || set -- "$@" -x "$name"
    done
    diff -rq "$@" >differences 2>&1
}

# The report of new results, which is made last and can be made again.
may_be_absent() { [ "$1" = run/report.html ] && cmp -s work/run/results.json new/run/results.json; }

# Exit code 0: all that an undisturbed run makes. Otherwise each file is the old one or the new one.
looks_right() {
    if [ "$1" -eq 0 ]; then
        same_results work new
        return
    fi
    for file in result run/model.safetensors run/report.html run/results.csv run/results.json; do
        [ -f "old/$file" ] || continue
        if [ ! -f "work/$file" ]; then
            may_be_absent "$file" && continue
            echo "$file is gone" >differences
            return 1
        fi
        cmp -s "work/$file" "old/$file" || cmp -s "work/$file" "new/$file" || whole "work/$file" || {
            echo "$file is neither the old one nor the new one" >differences
            return 1
        }
    done
}

# Files that tell the time are never the same: then they have to have their end.
whole() {
    case $1 in
    *.html) tail -n 1 "$1" | grep -q '</html>' ;;
    *) return 1 ;;
    esac
}

# try KIND NUMBER: false when there are not as many calls.
try() {
    fault=$1:$2
    [ "$1" != alloc ] || fault=alloc:@$2
    rm -rf work seen
    cp -a old work
    (
        cd work || exit 99
        SFT_FAIL=$fault SFT_FAIL_SEEN=$scratch/seen LD_PRELOAD=$library
        export SFT_FAIL SFT_FAIL_SEEN LD_PRELOAD
        "run_$command" new
    ) >out 2>err
    code=$?
    [ -f seen ] || return 1
    tried=$((tried + 1))
    case $code in
    0) why='' ;;
    [1-6]) why='' && [ -s err ] || why='no message' ;;
    124) why='no end' ;;
    *) why="exit code $code" ;;
    esac
    [ -n "$why" ] || looks_right $code || why="exit code $code, but $(head -n 1 differences)"
    [ -z "$why" ] || odd_one "$1" "$2"
}

odd_one() {
    odd=$((odd + 1))
    echo "$command, $1 $2: $why; said: $(tail -n 1 err)"
    [ -n "${KEEP:-}" ] || return 0
    mkdir -p "$KEEP"
    cp err "$KEEP/$command-$1-$2.err"
    cp seen "$KEEP/$command-$1-$2.stack"
}

# ---- all of it ----

tried=0 odd=0
for command in "$@"; do
    case $command in finetune | eval | calibrate | predict | report) ;; *) usage ;; esac
    rm -rf old new
    mkdir old
    (cd old && "run_$command" old) >out 2>&1 || {
        cat out >&2
        exit 1
    }
    cp -a old new
    (cd new && "run_$command" new) >out 2>&1 || {
        cat out >&2
        exit 1
    }
    for kind in ${FAULTS:-alloc open write fsync rename mmap mkdir thread}; do
        before=$tried
        number=${FIRST:-1}
        while try "$kind" "$number"; do number=$((number + ${STEP:-1})); done
        echo "$command: $kind failed in $((tried - before)) places"
    done
done
echo "$tried calls tried, $((tried - odd)) as documented, $odd others"
[ "$odd" -eq 0 ] && [ "$tried" -gt 0 ]
