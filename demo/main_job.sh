#!/usr/bin/env bash
# The main job of veml, on real driving scenes and blood cells: version, branch, label on two branches,
# merge, compare, ask whether new data is like the old; then train, rebuild for data that has moved on,
# and deploy. Prints each command before it runs it, so that the lines can be copied.
#
#   bash demo/main_job.sh FOLDER      FOLDER is made anew; needs veml (with [ml,mmdet,export]) and git in PATH
set -euo pipefail
demo=$(cd -- "$(dirname -- "$0")" && pwd)
data=$demo/data
folder=${1:?usage: main_job.sh FOLDER}

if [ -t 1 ]; then
    bold=$(printf '\033[1m') cyan=$(printf '\033[36m') plain=$(printf '\033[0m')
else
    bold='' cyan='' plain=''
fi
chapter() { printf '\n%s== %s ==%s\n' "$bold" "$*" "$plain"; }
why() { printf '\n# %s\n' "$*"; }

# Show a command as the user would type it, and run it.
run() {
    local word
    printf '%s$%s' "$cyan" "$plain"
    for word in "$@"; do
        word=${word//"$demo"/'$demo'}
        case $word in
            *[\ \*\"]*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$@"
}

# run_expecting CODE COMMAND: for a command whose exit code is its answer.
run_expecting() {
    local expected=$1 code=0
    shift
    run "$@" || code=$?
    printf '(exit code %s)\n' "$code"
    [ "$code" -eq "$expected" ] || {
        printf 'the demo expected exit code %s here\n' "$expected" >&2
        exit 1
    }
}

# frames TOWN FIRST COUNT TARGET: copy every second frame from the FIRST (0 or 1) on, with its boxes.
# Not the first half of the drive against the second: those show other streets, and do drift.
frames() {
    mkdir -p "$4/JPEGImages" "$4/Annotations"
    local name
    for name in $(cd "$data/$1/Annotations" && printf '%s\n' *.xml | sort |
        awk -v first="$2" -v count="$3" '(NR - 1) % 2 == first && taken++ < count'); do
        cp "$data/$1/Annotations/$name" "$4/Annotations/"
        cp "$data/$1/JPEGImages/${name%.xml}.jpg" "$4/JPEGImages/"
    done
}

# Only ever replaces what an earlier run of this script made.
if [ -e "$folder" ] && [ ! -e "$folder/.made-by-veml-demo" ] && [ -n "$(ls -A "$folder")" ]; then
    printf 'main_job.sh: %s is there and was not made by the demo; name another folder\n' "$folder" >&2
    exit 1
fi
rm -rf "$folder"
mkdir -p "$folder/repository"
touch "$folder/.made-by-veml-demo"
cd "$folder/repository"

chapter "1. A repository"
why "A veml repository is a Git repository; the heavy bytes lie in a store inside .git."
run veml init
if ! git config user.name >/dev/null || ! git config user.email >/dev/null; then
    run git config user.name "veml demo"
    run git config user.email demo@example.com
fi

chapter "2. Two data sets under version control"
why "Driving scenes (32 frames of town 1) and blood cells, both Pascal VOC: images and XML files in place."
frames carla_town01 0 32 drives/town01
cp "$data/carla_town01/LICENSE" drives/town01/
cp -r "$data/bccd/BCCD" cells
cp "$data/bccd/LICENSE" cells/
run veml add drives/town01 cells
run veml status
run veml commit -m "first drive, first slides"
why "What Git itself keeps of 32 images is one small text record."
run cat drives/town01.veml

chapter "3. Two people label on two branches, in the same files"
why "Ann moves a box, corrects a class, draws a box that was missing, and adds two new frames."
run veml checkout -b ann
boxes=drives/town01/Annotations
run python3 "$demo/edit_voc.py" $boxes/Town01_001980.xml move 0 6 -4
run python3 "$demo/edit_voc.py" $boxes/Town01_011940.xml relabel 0 bike
run python3 "$demo/edit_voc.py" $boxes/Town01_002880.xml add vehicle 300 190 330 214
for name in Town01_012420 Town01_012720; do
    run cp "$data/carla_town01/JPEGImages/$name.jpg" drives/town01/JPEGImages/
    run cp "$data/carla_town01/Annotations/$name.xml" $boxes/
done
run veml status
run veml add drives/town01
run veml commit -m "ann: corrections, two new frames"

why "Ben starts from the same commit. He edits other boxes of the same images, and drops a bad frame."
run veml checkout main
run veml checkout -b ben
run python3 "$demo/edit_voc.py" $boxes/Town01_001980.xml remove 2
run python3 "$demo/edit_voc.py" $boxes/Town01_011940.xml move 2 -3 5
run python3 "$demo/edit_voc.py" $boxes/Town01_008460.xml move 1 0 7
run rm drives/town01/JPEGImages/Town01_001440.jpg $boxes/Town01_001440.xml
run veml diff
run veml add drives/town01
run veml commit -m "ben: corrections, one bad frame less"

chapter "4. Merge"
why "Git would see two versions of the same files and stop. veml merges by image and by box."
run veml checkout ann
run veml merge ben -m "merge the labels of ben"
why "Both edits stand in the one file: Ann moved the first box, Ben removed the last."
run cat $boxes/Town01_001980.xml
why "What the two branches together changed since main."
run veml diff main --stat
run veml diff main
run veml log --graph

chapter "5. When both changed the same box"
why "Ann and Ben move the same box to different places. That is a conflict, and it names the box."
run veml checkout -b ann-again
run python3 "$demo/edit_voc.py" $boxes/Town01_008460.xml move 0 10 0
run veml add drives/town01
run veml commit -m "ann: box to the right"
run veml checkout -b ben-again ann
run python3 "$demo/edit_voc.py" $boxes/Town01_008460.xml move 0 -10 0
run veml add drives/town01
run veml commit -m "ben: box to the left"
run_expecting 1 veml merge ann-again
run veml status
run veml resolve drives/town01/JPEGImages/Town01_008460.jpg --theirs
run veml commit -m "merge, the box as ann has it"

chapter "6. Back and forth"
why "Checkout brings the data, boxes included, back byte for byte."
run veml checkout main
cmp "$data/carla_town01/Annotations/Town01_001980.xml" $boxes/Town01_001980.xml &&
    printf 'Town01_001980.xml is byte for byte what was first added\n'
run veml status
why "Plain git agrees at every step."
run git log --oneline --graph --all
run git fsck --strict --no-dangling
run git status --short

chapter "7. Which known data does this resemble?"
why "New data comes in: 30 other frames of town 1, and 56 frames of town 3. Neither is tracked yet."
frames carla_town01 1 30 incoming/town01
mkdir -p incoming
cp -r "$data/carla_town03" incoming/town03
run veml similar incoming/town03 --top 8

chapter "8. Has the data drifted?"
why "The same town, frames in between those: no drift is expected, and the exit code is 0."
run_expecting 0 veml drift drives/town01 incoming/town01 --exit-code
why "Another town: drift, and the exit code is 1, so that a pipeline can stop here."
run_expecting 1 veml drift drives/town01 incoming/town03 --exit-code

chapter "9. Another format, and images apart from their annotation file"
why "The boxes of town 1 as one COCO file; then images and file tracked together as one data set."
run veml export drives/town01 ../coco --format coco
run cp -r ../coco/JPEGImages town01-images
run cp ../coco/annotations/instances.json town01-boxes.json
run veml add town01-images --annotations town01-boxes.json
run veml commit -m "town 1 as COCO"
run veml show

chapter "10. From Python, without a checkout"
why "A data set at any revision reads straight from the store."
run python3 -c 'import veml_vcs as veml
data = veml.open(".").dataset("drives/town01", "ann")
sample = data["JPEGImages/Town01_001980.jpg"]
print(data)
print(sample.key, len(sample.data), "bytes", [box["class"] for box in sample.objects])'

chapter "11. Train a detector"
why "A small Faster R-CNN, straight from the store; a fifth of the frames is held back to measure on."
run veml checkout -q main
run veml model template faster-rcnn-small configs/small.py
run veml model add configs/small.py --name small
cp -r "$data/carla_town01" streets
run veml add streets
run veml commit -m "town 1, and a small detector"
run veml train --data streets --model small --name first --iterations 200
run veml commit -m "first detector"
run veml training show first

chapter "12. The data moved on: rebuild"
why "Town 3 is labelled by now. Drift says that it is other data; rebuild merges both, trains anew, and measures."
mv incoming/town03 town03
run veml add town03
run veml commit -m "town 3"
run_expecting 1 veml drift streets town03 --exit-code
run veml rebuild --train first --new town03 --method full
run veml commit -m "rebuilt for town 3"

chapter "13. Deploy"
why "The detector as one ONNX file: compared with its checkpoint, measured, and recorded."
run veml deploy first-full --name detector
run veml commit -m "deployed"
run veml inference export detector -o ../detector.onnx
run veml predict detector incoming/town01/JPEGImages --score 0.5
why "What it came from, back to the first frame."
run veml lineage show detector --up

chapter "Done"
printf 'The repository is in %s; look around with veml log --graph, veml status, git log.\n' "$PWD"
