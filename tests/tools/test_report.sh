#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an evaluation leaves for the report: pictures, plots, a page; and that `report` makes the last two
# again.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 'Energy' eval --weights "$weights" --id 'synthetic#test' --limit 20 \
    --ood 'a&b<c=synthetic:noise' --ood letters=synthetic:letters --score energy,msp --out run
for file in examples.json plots/energy/letters-density.svg plots/energy/letters-density.csv \
    plots/msp/letters-roc.svg 'plots/msp/a&b<c-density.svg' plots/energy-auroc.svg plots/energy-fpr95.csv; do
    check "eval leaves $file" [ -s "run/$file" ]
done
check "pictures in the page" has run/report.html 'src="data:image/png;base64,'
check "names are escaped" has run/report.html 'a&amp;b&lt;c'
check "and nowhere else" lacks run/report.html 'b<c'
cp run/report.html first.html
cp run/plots/energy/letters-density.svg first.svg
rm -r run/report.html run/plots
expect 0 'run/report.html' report run
check "the same page again" same first.html run/report.html
check "the same plot again" same first.svg run/plots/energy/letters-density.svg
rm run/examples.json
expect 0 . report run
check "without pictures the page goes without" lacks run/report.html 'src="data:image/png'
printf '{' >run/examples.json
rm run/report.html
expect 4 'examples.json: damaged; the report goes without it' report run
check "what is damaged costs no page" [ -s run/report.html ]
rm run/examples.json
mkdir run/examples.json
expect 4 'the report is made, without what cannot be read' report run
rmdir run/examples.json
mv run/scores/energy/letters.npy kept.npy
expect 0 'letters.npy: left out: it is not there' report run
head -c 100 kept.npy >run/scores/energy/letters.npy
expect 4 'letters.npy: left out: it is damaged' report run
mv kept.npy run/scores/energy/letters.npy

# Another run in its place: numbers by their names, nothing stale, and what is not the run's stays.
echo mine >run/plots/notes.txt
echo mine >run/scores/energy/notes.txt
expect 0 'FPR90' eval --weights "$weights" --id 'synthetic#test' --limit 20 \
    --ood letters=synthetic:letters --score msp --recall 0.9 --bootstrap 10 --out run --overwrite
check "FPR has its name in the page" has run/report.html 'FPR90'
check "and no other" lacks run/report.html 'FPR95'
check "intervals of the bootstrap" has run/report.html '<small><span>95&nbsp;% interval </span>'
check "calibration error of the ID images" has run/report.html 'Calibration error (ECE) on ID images: [0-9]'
find run/plots run/scores -type f | sort >left
cat >right <<END
run/plots/msp-auroc.csv
run/plots/msp-auroc.svg
run/plots/msp-fpr95.csv
run/plots/msp-fpr95.svg
run/plots/msp/letters-density.csv
run/plots/msp/letters-density.svg
run/plots/msp/letters-roc.csv
run/plots/msp/letters-roc.svg
run/plots/notes.txt
run/scores/energy/notes.txt
run/scores/msp/id.npy
run/scores/msp/letters.npy
END
grep -v 'png$' left | cmp - right
check "only the files of the last run, and those of others" [ $? -eq 0 ]
check "no empty folder is left" [ ! -e run/plots/energy ]
expect 4 . report no-folder

finish
