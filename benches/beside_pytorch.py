"""Runs the CPU engine and PyTorch in turn, A B A B ..., on the same network and inputs, and prints the ratio of each pair.

    cargo bench --bench frames --no-run          (prints the path of the program; for --train, --bench training; for --mtm, --bench mtm)
    python benches/beside_pytorch.py PROGRAM [--train] [--pairs 5] [--batch 1] [--units 1000] [--frames 40] [--threads 2]
    python benches/beside_pytorch.py PROGRAM --mtm small|mtm-ndt1 [--pairs 5] [--threads 2]

Needs torch, numpy and safetensors. Timings of a shared machine drift: quote the ratios.
"""
import argparse, json, os, re, statistics, subprocess, sys


def run(command):
    """The line of JSON that a program ends with."""
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1])


def here(name):
    """A script beside which PyTorch's network lies."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pytorch', name)


def spikes(a):
    """Training step and forward pass of the masked transformer over spikes."""
    ratios = {'step': [], 'forward': []}
    for _ in range(a.pairs):
        ours = run([a.program, '--preset', a.mtm, '--threads', str(a.threads)])
        said = subprocess.run([sys.executable, here('bench_mtm.py'), str(a.threads), a.mtm], check=True, capture_output=True, text=True).stdout
        theirs = dict(zip(ratios, map(float, re.findall(r'median ([\d.]+) min', said))))
        for what in ratios:
            mine = ours[f'{what}_ms_median']
            ratios[what].append(mine / theirs[what])
            print(f"{what}: ours {mine:.1f} ms, PyTorch {theirs[what]:.1f} ms, ratio {ratios[what][-1]:.3f}", flush=True)
    for what, found in ratios.items():
        print(f"{a.mtm}, {what}, {a.threads} threads: ratio median {statistics.median(found):.3f}, {min(found):.3f} to {max(found):.3f}")


def main():
    a = argparse.ArgumentParser(); A = a.add_argument
    A('program'); A('--pairs', type=int, default=5); A('--batch', type=int, default=1); A('--units', type=int, default=1000)
    A('--frames', type=int, default=40); A('--threads', type=int, default=2); A('--device', default='cpu')
    A('--train', action='store_true', help='a training step of one stream'); A('--steps', type=int, default=3)
    A('--mtm', metavar='PRESET', help='training step and forward pass of the masked transformer over spikes')
    a = a.parse_args()
    if a.mtm: return spikes(a)
    sizes = ['--units', str(a.units), '--batch', str(a.batch), '--frames', str(a.frames), '--threads', str(a.threads)]
    if a.train: sizes += ['--stream', '0', '--steps', str(a.steps)]
    torch = here('bench_torch.py')
    ours_device, torch_device = ('gpu', 'cuda') if a.device != 'cpu' else ('cpu', 'cpu')
    ratios = []
    for _ in range(a.pairs):
        ours = run([a.program, *sizes] + ([] if a.train else ['--device', ours_device]))
        theirs = run([sys.executable, torch, *sizes, '--wait', '0', '--device', torch_device] + (['--train'] if a.train else []))
        ratios.append(ours['ms_median'] / theirs['ms_median'])
        if a.train:
            print(f"ours {ours['ms_median'] * a.frames / 1e3:.2f} s a step, PyTorch {theirs['ms_median'] * a.frames / 1e3:.2f} s, ratio {ratios[-1]:.3f}; objectives {ours['objective']:.6f} and {theirs['objective']:.6f}", flush=True)
            continue
        memory = f"{ours.get('peak_rss_mib')} MiB, PyTorch {theirs['peak_rss_mib']} MiB"
        print(f"ours {ours['ms_median']:.1f} ms a frame, PyTorch {theirs['ms_median']:.1f} ms, ratio {ratios[-1]:.3f}; peak memory {memory}", flush=True)
    print(f"batch {a.batch}, {a.units} units, {a.threads} threads: ratio median {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == '__main__':
    main()
