#!/bin/sh
# Makes the built-in twin from seeds: simulated mice, a core of eight of them, and its adaptation to a ninth.
#
#     assets/foundation/make.sh FOLDER [PROGRAM]
#
# Twin and evaluation take about an hour on two cores, the learning curve and the baselines several more. What is there already is not made again, and an interrupted training goes on.
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
program=${2:-$here/../../target/release/twinscope}
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
cd "$1"
tests=""
for domain in gabors moving_dots monet gaussian_dots static_images; do tests="$tests --test $here/tests/$domain.toml"; done

# simulate NAME OPTIONS: one mouse that watches rendered clips
simulate() {
    name=$1; shift
    [ -e "sessions/$name/session.toml" ] && return
    rm -rf "making-$name"
    "$program" simulate --mice 1 --protocol "$here/clips.toml" "$@" -o "making-$name"
    mkdir -p sessions
    mv "making-$name/mouse-1" "sessions/$name"
    rmdir "making-$name"
}

for seed in 1 2 3 4 5 6 7 8; do
    simulate "core-$seed" --units 160 --minutes 20 --seed "$seed" --test-movies 2 --test-repeats 2
done
simulate demo --units 320 --minutes 30 --seed 100 --test-movies 6 --test-repeats 10 $tests
for seed in 201 202 203; do
    simulate "new-$seed" --units 120 --minutes 16 --seed "$seed" --test-movies 6 --test-repeats 10 $tests
done
# assets/twin-units.csv is not written here. All its columns but the last two are those of sessions/demo/truth.csv, rounded
# to four decimals. The last two, preferred direction and gDSI by gratings, are the direction tuning of the simulated mouse
# itself: its true rates, without drift, under assets/protocols/direction_grating.toml shown once, calm and looking straight
# ahead. The tests of tests/science/builtin.rs compute both again and fail when the table says otherwise.

cp "$here/core.toml" "$here/adapt.toml" .
"$program" train core.toml --device cpu -o core
core=$(ls core/simulated-*.safetensors | head -1)
"$program" adapt --twin "$core" --session sessions/demo --recipe adapt.toml --device cpu -o demo
twin=$(ls demo/simulated-*.safetensors | head -1)
"$program" twin convert "$twin" --card "$here/card.toml" -o twin.safetensors
"$program" evaluate --twin "$twin" --session sessions/demo --device cpu --out evaluation
"$program" study tuning --twin "$twin" --session sessions/demo -o tuning
"$program" study lesions --twin "$twin" --session sessions/demo -o lesions
"$program" study curve --twin "$core" --session sessions/new-201 --session sessions/new-202 --session sessions/new-203 \
    --minutes 1,2,5,10 --device cpu -o learning-curve
"$program" study baselines --twin "$twin" --session sessions/demo -o baselines
