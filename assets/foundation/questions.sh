#!/bin/sh
# The questions beside the foundation experiment, after `make.sh FOLDER`: what changes with another seed, another core,
# other clips, another optimiser, more streams.
#
#     assets/foundation/questions.sh FOLDER [PROGRAM [PART...]]
#
# Parts, all when none is named: `seeds` (core, twin and tests with seeds 2 and 3), `one-mouse` (a core that learned from
# one mouse instead of eight), `corrupted` (clips that were spoiled on purpose), `clips` (clips with one of their
# statistics taken away), `learning` (SgdClip instead of AdamW, 2 and 4 streams, another seed). The last three train
# networks from scratch on 15 minutes of clips of one mouse; FOLDER/questions.csv holds all of them. What is there already
# is not made again, and an interrupted training goes on.
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
program=${2:-$here/../../target/release/twinscope}
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
cd "$1"
[ $# -gt 2 ] && shift 2 || set -- seeds one-mouse corrupted clips learning
tests=""
for domain in gabors moving_dots monet gaussian_dots static_images; do tests="$tests --test $here/tests/$domain.toml"; done

# stress NAME CLIPS RECIPE ARMS: networks that learn from these clips by this recipe
stress() {
    name=$1 clips=$2 recipe=$3; shift 3
    [ -e "$name/stress.csv" ] || "$program" stress "$@" --clips "$clips" --recipe "$recipe" $tests --device cpu -o "$name"
}

sed -e 's/^steps = .*/steps = 600/' -e 's/^trials = .*/trials = 6/' -e '/^sessions/d' -e 's/^samples = .*/samples = 8/' \
    "$here/core.toml" >recipe.toml

seeds() {
    for seed in 2 3; do
        sed "s/^seed = .*/seed = $seed/" "$here/core.toml" >"core-seed-$seed.toml"
        sed "s/^seed = .*/seed = $seed/" "$here/adapt.toml" >"adapt-seed-$seed.toml"
        "$program" train "core-seed-$seed.toml" --device cpu -o "core-seed-$seed"
        core=$(ls core-seed-$seed/simulated-*.safetensors | head -1)
        "$program" adapt --twin "$core" --session sessions/demo --recipe "adapt-seed-$seed.toml" --device cpu -o "demo-seed-$seed"
        twin=$(ls demo-seed-$seed/simulated-*.safetensors | head -1)
        "$program" evaluate --twin "$twin" --session sessions/demo --device cpu --out "evaluation-seed-$seed"
        "$program" study tuning --twin "$twin" --session sessions/demo -o "tuning-seed-$seed"
    done
}

# As many steps as the core of eight mice, unless its validation loss has not fallen for 400 of them.
one_mouse() {
    sed -e 's/^sessions = .*/sessions = ["sessions\/core-1"]/' -e 's/^every = .*/&\npatience = 8/' "$here/core.toml" >one-mouse.toml
    "$program" train one-mouse.toml --device cpu -o one-mouse
    core=$(ls one-mouse/simulated-*.safetensors | head -1)
    for mouse in 201 202; do
        for minutes in 1 5; do
            arm=one-mouse-$mouse-$minutes-min
            "$program" adapt --twin "$core" --session "sessions/new-$mouse" --minutes "$minutes" --device cpu -o "$arm"
            twin=$(ls $arm/simulated-*.safetensors | head -1)
            "$program" evaluate --twin "$twin" --session "sessions/new-$mouse" --device cpu --out "$arm/evaluation"
        done
    done
}

corrupted() {
    stress corrupted "$here/clips.toml" recipe.toml
}

clips() {
    sed 's/^camera_speed.*/camera_speed_deg_per_sec = [0.0]/; s/^object_speed.*/object_speed_deg_per_sec = 0.0/
        s/^kind = .*/&\nzoom_rate_per_sec = 0.0\nrotation_deg_per_sec = 0.0\nlooming_per_sec = 0.0/' \
        "$here/clips.toml" >static-shots.toml
    sed 's/^camera_speed.*/camera_speed_deg_per_sec = [2.0]/' "$here/clips.toml" >slow.toml
    sed 's/^cut_secs.*/cut_secs = 10.0/' "$here/clips.toml" >no-cuts.toml
    sed 's/^contrast.*/contrast = [0.4]/' "$here/clips.toml" >one-contrast.toml
    for kind in static-shots slow no-cuts one-contrast; do stress "$kind" "$kind.toml" recipe.toml --arm clean; done
}

# On the clips that every other arm is compared with: those of the arm `clean clips` of the corrupted ones.
same() {
    if [ ! -e corrupted/sessions/clean-clips/mouse-1/session.toml ]; then
        stress corrupted "$here/clips.toml" recipe.toml --arm clean
        rm corrupted/stress.csv
    fi
    mkdir -p "$1"
    [ -e "$1/sessions" ] || ln -s ../corrupted/sessions "$1/sessions"
    stress "$1" "$here/clips.toml" "$1.toml" --arm clean
}

learning() {
    sed 's/^seed = .*/seed = 2/' recipe.toml >second-seed.toml
    same second-seed
    sed -e 's/^kind = "adam-w"/kind = "sgd-clip"/' -e '/^relative_lr/d' recipe.toml >sgd-clip.toml
    same sgd-clip
    for streams in 2 4; do
        sed "s/^streams = .*/streams = $streams/" "$here/../twin.toml" >"streams-$streams-sizes.toml"
        sed "s/^twin = .*/twin = \"streams-$streams-sizes.toml\"/" recipe.toml >"streams-$streams.toml"
        same "streams-$streams"
    done
}

for part; do
    case $part in
    seeds | corrupted | clips | learning) $part ;;
    one-mouse) one_mouse ;;
    *) echo "there is no part $part" >&2 && exit 2 ;;
    esac
done

# Tables of an earlier version end before the column `minus_clean`.
for table in */stress.csv; do
    folder=$(dirname "$table") end=,
    if head -1 "$table" | grep -q minus_clean; then end=; fi
    if [ "$folder" = corrupted ]; then arm='&'; else arm=$folder; fi
    sed -e 1d -e "s/^[^,]*/$arm/" -e "s/\$/$end/" "$table"
done | { cat corrupted/stress.csv 2>/dev/null | head -1 | sed '/minus_clean/!s/$/,minus_clean/'; cat; } >questions.csv
echo "$(pwd)/questions.csv"
