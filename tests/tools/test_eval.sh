#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# eval: what it leaves, metrics that are asked for, damaged checkpoints, bad input.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- damaged checkpoints ----
expect 4 'missing.safetensors' eval --weights missing.safetensors --id synthetic --ood n=synthetic:noise
head -c 1000 "$weights" >cut.safetensors
expect 4 'cut.safetensors' eval --weights cut.safetensors --id synthetic --ood n=synthetic:noise
printf '\377\377\377\377\377\377\377\177{' >lying.safetensors
expect 4 'lying.safetensors' eval --weights lying.safetensors --id synthetic --ood n=synthetic:noise
expect 4 . eval --weights "$weights" --model vgg11_gn --id synthetic --ood n=synthetic:noise

# ---- eval ----
expect 0 'MSP.*|Energy' eval --weights "$weights" --id 'synthetic#test' --limit 50 --ood n=synthetic:noise \
    --score all --out eval
for file in results.json results.csv scores/energy/n.npy report.html run.json; do
    check "eval leaves $file" [ -s eval/$file ]
done
expect 0 '"auroc"' eval --weights "$weights" --id 'synthetic#test' --limit 50 --ood n=synthetic:noise --json
small_eval() { # CODE PATTERN OPTION...
    small_code=$1 small_pattern=$2
    shift 2
    expect "$small_code" "$small_pattern" eval --weights "$weights" --id 'synthetic#test' --limit 20 \
        --ood n=synthetic:noise --score msp "$@"
}
small_eval 0 '"ece"' --json
small_eval 0 '"recall": 0.8' --json --recall 0.8
small_eval 0 '"auroc_ci"' --json --bootstrap 20
small_eval 0 ' 97.5 % .*[0-9]' --bootstrap 20
cp out first
small_eval 0 'FPR95' --bootstrap 20 --threads 1
check "a bootstrap is the same at any number of threads" same first out
small_eval 0 'FPR95' --bootstrap 20 --seed 1
check "another seed draws others" [ "$(cmp first out | wc -l)" -eq 1 ]
small_eval 0 'FPR99.5' --recall 0.995

# ---- lists ----
golden=$root/tests/golden/datasets
printf '%s/rgb.png 0\n%s/420.jpg 3\n' "$golden" "$golden" >some.txt
expect 0 '"accuracy": (0|1|0.5)' eval --weights "$weights" --id some.txt --ood 'n=synthetic:noise[0:20]' \
    --score msp --json
printf '%s/rgb.png 10\n' "$golden" >more.txt
expect 4 'has 11 classes, the model 10' eval --weights "$weights" --id more.txt --ood n=synthetic:noise \
    --score msp
printf '\357\273\277limit = 10\r\nscore = msp\r\n' >mark.ini
expect 0 FPR95 eval --config mark.ini --weights "$weights" --id 'synthetic#test' --ood n=synthetic:noise

# ---- names that are no UTF-8 ----
first_name=$(printf 'caf\351') other_name=$(printf 'caf\350')
small_eval 0 'caf.xE9 ' --ood "$first_name=synthetic:letters" --ood "$other_name=synthetic:shapes" --out names
for file in results.json results.csv report.html examples.json; do
    check "$file has the first name" has "names/$file" 'caf.*xE9'
    check "$file has the other one" has "names/$file" 'caf.*xE8'
done
check "scores have a file for each" [ -s 'names/scores/msp/caf\xE9.npy' ]
cp names/report.html first.html
expect 0 report.html report names
check "the report is made again from them" same first.html names/report.html

small_eval 2 '--recall: 0 is out of range' --recall 0
small_eval 2 '--bootstrap 1:' --bootstrap 1
small_eval 0 'very images of the ID set' --ood again='synthetic#test'
small_eval 0 'FPR95' --limit 1 --score msp,energy,gradnorm,odin,gen,maxlogit --bootstrap 2
small_eval 4 'class [0-9]+ has none of the 1 images' --limit 1 --score klm
expect 2 'needs at least one --ood' eval --weights "$weights" --id synthetic
expect 2 'convention|fpr' eval --weights "$weights" --id synthetic --ood n=synthetic:noise \
    --fpr-positive nobody
expect 2 . eval --weights "$weights" --id synthetic --ood n=synthetic:noise --ood n=synthetic:letters
expect 4 'no-folder' eval --weights "$weights" --id cifar10:no-folder --ood n=synthetic:noise

# ---- scores ----
few() {
    code=$1 pattern=$2
    shift 2
    expect "$code" "$pattern" eval --weights "$weights" --id 'synthetic#test[0:20]' \
        --ood 'x=synthetic:letters[0:10]' "$@"
}
few 0 'Energy' --score 'MSP, Energy'
few 2 "did you mean 'energy'" --score Enrgy
few 0 'warning: vim is left out: vim, residual: 20 images to fit on' --score all \
    --fit 'synthetic#train[0:20]'
check "the others are there" has out 'KL Matching'
check "and not that one" lacks out ViM
few 4 'vim, residual: 20 images to fit on' --score 'all, ViM' --fit 'synthetic#train[0:20]'
expect 0 'mos is left out' calibrate --weights "$weights" --id 'synthetic#test[0:20]' --score all \
    --out all.cal
check "those that can be fitted are calibrated" has out 'KL Matching'
check "and no others" lacks out ViM

finish
