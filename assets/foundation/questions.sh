#!/bin/sh
# What the core learns from and how: the questions beside the foundation experiment, on one simulated mouse each.
#
#     assets/foundation/questions.sh FOLDER [PROGRAM]
#
# Each arm trains a network from scratch on 15 minutes of clips and is tested like the twin; FOLDER/questions.csv holds
# all of them. Takes about two hours on two cores. What is there already is not made again, and an interrupted training
# goes on.
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
program=${2:-$here/../../target/release/twinscope}
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
cd "$1"
tests=""
for domain in gabors moving_dots monet gaussian_dots static_images; do tests="$tests --test $here/tests/$domain.toml"; done

# arm NAME CLIPS RECIPE: a network that learns from these clips by this recipe
arm() {
    [ -e "$1/stress.csv" ] || "$program" stress --arm clean --clips "$2" --recipe "$3" $tests -o "$1"
}

sed -e 's/^steps = .*/steps = 1000/' -e 's/^trials = .*/trials = 6/' -e '/^sessions/d' "$here/core.toml" |
    sed -e 's/^samples = .*/samples = 8/' -e 's/^every = .*/every = 100/' >recipe.toml

# Which statistics of the clips matter: the same with one of them taken away.
sed 's/^camera_speed.*/camera_speed_deg_per_sec = [0.0]/; s/^object_speed.*/object_speed_deg_per_sec = 0.0/
    s/^kind = .*/&\nzoom_rate_per_sec = 0.0\nrotation_deg_per_sec = 0.0\nlooming_per_sec = 0.0/' \
    "$here/clips.toml" >static-shots.toml
sed 's/^camera_speed.*/camera_speed_deg_per_sec = [2.0]/' "$here/clips.toml" >slow.toml
sed 's/^cut_secs.*/cut_secs = 10.0/' "$here/clips.toml" >no-cuts.toml
sed 's/^contrast.*/contrast = [0.4]/' "$here/clips.toml" >one-contrast.toml
arm all-clips "$here/clips.toml" recipe.toml
for clips in static-shots slow no-cuts one-contrast; do arm "$clips" "$clips.toml" recipe.toml; done

# The optimiser and the number of streams, on the clips that are there.
same() {
    mkdir -p "$1"
    [ -e "$1/sessions" ] || ln -s ../all-clips/sessions "$1/sessions"
    arm "$1" "$here/clips.toml" "$2"
}
for streams in 2 4; do
    sed "s/^streams = .*/streams = $streams/" "$here/../twin.toml" >"streams-$streams-sizes.toml"
    sed "s/^twin = .*/twin = \"streams-$streams-sizes.toml\"/" recipe.toml >"streams-$streams.toml"
    same "streams-$streams" "streams-$streams.toml"
done
sed -e 's/^kind = "adam-w"/kind = "sgd-clip"/' -e '/^relative_lr/d' recipe.toml >sgd-clip.toml
same sgd-clip sgd-clip.toml
sed 's/^seed = .*/seed = 2/' recipe.toml >second-seed.toml
same second-seed second-seed.toml

for table in */stress.csv; do
    sed -e 1d -e "s/^[^,]*/$(dirname "$table")/" "$table"
done | { head -1 all-clips/stress.csv; cat; } >questions.csv
echo "$(pwd)/questions.csv"
