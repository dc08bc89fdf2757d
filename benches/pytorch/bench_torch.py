"""Timing of twin_torch: one JSON line. Example: bench_torch.py --units 1000 --batch 1 --frames 40 --threads 2 [--train] [--stream 0]"""
import argparse, json, os, resource, statistics, time
import torch
from twin_torch import Twin, TwinConfig, SgdClip, fill_inputs


def idle(sec=2.0):
    """Fraction of all CPU time spent idle over the next `sec` seconds."""
    rd = lambda: list(map(int, open('/proc/stat').readline().split()[1:9]))
    a = rd(); time.sleep(sec); b = rd(); d = [y - x for x, y in zip(a, b)]
    return (d[3] + d[4]) / max(1, sum(d))


def wait_idle(limit, want=0.95):
    """Wait up to `limit` seconds for a quiet machine; returns the last idle fraction seen."""
    end = time.time() + limit
    while (i := idle()) < want and time.time() < end: pass
    return round(i, 3)


def cpu(): t = os.times(); return t.user + t.system


def stages(net):
    """Wrap the stage methods with timers; returns {stage: [ms...]}."""
    rec = {}
    for s in ('see', 'modulate', 'feedforward', 'recurrent', 'read'):
        def wrap(*a, f=getattr(net, s), s=s):
            t = time.perf_counter(); y = f(*a); rec.setdefault(s, []).append((time.perf_counter() - t) * 1e3); return y
        setattr(net, s, wrap)
    return rec


def main():
    a = argparse.ArgumentParser(); A = a.add_argument
    A('--units', type=int, default=1000); A('--batch', type=int, default=1); A('--frames', type=int, default=40); A('--threads', type=int, default=2)
    A('--warmup', type=int, default=3); A('--train', action='store_true'); A('--steps', type=int, default=3); A('--stream', type=int); A('--wait', type=int, default=60); A('--device', default='cpu')
    a = a.parse_args(); torch.set_num_threads(a.threads); torch.set_default_device(a.device)
    sync = torch.cuda.synchronize if a.device.startswith('cuda') else lambda: None
    rss = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    r = dict(kind='train' if a.train else 'infer', N=a.batch, T=a.frames, U=a.units, device=a.device, stream=a.stream, threads=a.threads, torch=torch.__version__, rss_base_mib=round(rss()))
    net = Twin(TwinConfig.microns(a.units)).fill(20250409)
    x = tuple(t.to(a.device) for t in fill_inputs(20250409, a.frames + (0 if a.train else a.warmup), a.batch, a.units))
    r['idle_before'] = wait_idle(a.wait)
    c0, w0 = cpu(), time.perf_counter()
    if a.train:
        opt, ts = SgdClip(net), []
        for _ in range(a.steps):
            opt.zero_grad(); t0 = time.perf_counter()
            obj = net.objective(*x, stream=a.stream); t1 = time.perf_counter()
            obj.backward(); sync(); t2 = time.perf_counter(); opt.step(); t3 = time.perf_counter()
            ts.append([round(v, 3) for v in (t1 - t0, t2 - t1, t3 - t2, t3 - t0)])
        ms = [t[3] * 1e3 / a.frames for t in ts]
        r['forward_backward_opt_total_s'] = ts; r['objective'] = obj.item()
    else:
        net.reset(a.stream); st, ms = stages(net), []
        with torch.inference_mode():
            for v in zip(*x[:3]):
                t0 = time.perf_counter(); net.step(*v); sync(); ms.append((time.perf_counter() - t0) * 1e3)
        ms = ms[a.warmup:]; r['stage_ms_median'] = {k: round(statistics.median(v), 2) for k, v in st.items()}
    r['cpu_util'] = round((cpu() - c0) / (time.perf_counter() - w0) / a.threads, 3)
    r['ms_min'], r['ms_median'] = round(min(ms), 2), round(statistics.median(ms), 2)
    r['ms_min_per_sample'], r['ms_median_per_sample'] = round(min(ms) / a.batch, 2), round(statistics.median(ms) / a.batch, 2)
    r['peak_rss_mib'] = round(rss()); print(json.dumps(r), flush=True)


if __name__ == '__main__': main()
