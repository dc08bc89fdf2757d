"""Run twin_torch against the tiny and full fixtures: check_fixtures.py DIR [DIR..]; prints max|a-b|/max|b| per stage."""
import csv, glob, json, sys, time
import numpy as np, torch
from safetensors.torch import load_file
from twin_torch import Twin, TwinConfig, SgdClip, fill_inputs, hash3, HERE
torch.set_num_threads(2)
bad = []
def rel(a, b): return ((a.double() - b.double()).abs().max() / b.double().abs().max().clamp(min=1e-30)).item()
def tol(name):
    if 'grad' in name and 'perspective' in name: return 3e-3
    if 'grad' in name: return 1e-4
    if 'perspective' in name or 'monitor_grid' in name: return 2e-4
    return 2e-5 if 'feedforward' in name or 'ff_' in name else 1e-5
def show(name, e, t=None):
    t = t or tol(name); flag = '' if e <= t else f'   <-- over {t:g}'
    if flag: bad.append(name)
    print(f'{name:58s} {e:.2e}{flag}')
def cmp(name, a, b, t=None):
    assert tuple(a.shape) == tuple(b.shape), (name, a.shape, b.shape)
    show(name, rel(a.detach(), b), t)
def run(net, f, T=None, N=None, tap=False, **kw):
    net.reset(**kw); out = {}
    net.tap = {} if tap else None
    for t in range(T or len(f['in.video'])):
        o = net.step(*(f['in.' + k][t][:N] for k in ('video', 'perspective', 'modulation', 'target')))
        if tap: o = o | net.tap | {'state.h': net.state['rec'][0], 'state.c': net.state['rec'][1], 'state.mod_h': net.state['mod'][0], 'state.mod_c': net.state['mod'][1]}
        for k, v in o.items(): out.setdefault(k, []).append(v)
    net.tap = None
    return {k: torch.stack(v) for k, v in out.items()}
def grads(net, loss):
    for p in net.p.values(): p.grad = None
    loss.backward(); return {k: p.grad for k, p in net.p.items()}
def cmp_grads(tag, g, f, prefix, none=()):
    ref = {k[len(prefix):]: v for k, v in f.items() if k.startswith(prefix)}
    missing = [k for k in ref if g[k] is None and k not in none]; extra = [k for k in g if g[k] is not None and k not in ref and g[k].abs().max() > 0]
    if missing or extra: print('   grad sets differ: missing', missing[:3], 'extra', extra[:3]); bad.append(tag)
    for part, sel in (('perspective', True), ('other', False)):
        es = [(rel(g[k], v), k) for k, v in ref.items() if g[k] is not None and k.startswith('perspective') == sel]
        show(f'{tag} {part} ({len(es)}; {max(es)[1][:30]})', max(es)[0])

def tiny(d, name):
    meta = json.load(open(f'{d}/tiny_{name}_meta.json')); cfg = TwinConfig.from_meta(meta['config'], meta['U'])
    sd = load_file(f'{d}/tiny_{name}_state.safetensors')
    net = Twin(cfg).load_state(sd)
    print(f'== tiny {name}: retina grid vs stored {rel(Twin(cfg).buf["perspective.retina.grid"], sd["perspective.retina.grid"]):.1e}')
    for n in (1, 2):
        f = load_file(f'{d}/tiny_{name}_n{n}.safetensors'); o = run(net, f, tap=True)
        for k in ('perspective', 'modulation', 'feedforward', 'recurrent', 'readout', 'raw', 'response', 'loss', 'rmat', 'monitor_grid'):
            if f'eval.stage.{k}' in f: cmp(f'n{n} {k}', o[k], f[f'eval.stage.{k}'])
        lay = {k: v for k, v in f.items() if k.startswith('eval.layer.')}
        if lay:
            get = lambda k: o['proj_x'] if k.endswith('recurrent.proj_x') else o[k]
            es = [(rel(get(k[11:]).detach(), v), k[11:]) for k, v in lay.items()]
            show(f'n{n} {len(es)} layers, worst {max(es)[1]}', max(es)[0], 2e-5)
            cmp(f'n{n} xh', o['xh'], f['eval.input.core.recurrent.conv']); cmp(f'n{n} za', o['za'], f['eval.input.core.recurrent.proj_i'])
            for k in ('h', 'c', 'mod_h', 'mod_c'): cmp(f'n{n} state {k}', o['state.' + k], f['eval.state.' + k])
        cmp_grads(f'n{n} grad', grads(net, o['loss'].sum()), f, 'grad_sum_loss.')
        cmp(f'n{n} response vs f64', o['response'], f['f64.response'])
        n64 = Twin(cfg, torch.float64).load_state(sd); o = run(n64, f)
        cmp(f'n{n} f64 response', o['response'], f['f64.response'], 1e-6); cmp_grads(f'n{n} f64 grad', grads(n64, o['loss'].sum()), f, 'f64.grad_sum_loss.')
        for s in range(cfg.streams):
            o = run(net, f, stream=s)
            for k in ('response', 'recurrent', 'loss'): cmp(f'n{n} stream{s} {k}', o[k], f[f'stream{s}.{k}'])
            if s == 1: cmp_grads(f'n{n} stream1 grad', grads(net, o['loss'].sum()), f, 'stream1.grad_sum_loss.')
        if n == 1:
            net.extend = True; o = run(net, f); net.extend = False
            for k in ('perspective', 'response'): cmp(f'extend {k}', o[k], f[f'extend.{k}'])
    tr = load_file(f'{d}/tiny_{name}_train.safetensors')
    o = run(net, f, train=True, noise={k: tr['noise.' + k] for k in ('center', 'angle', 'position')})
    for k in ('perspective', 'response', 'loss'): cmp(f'train {k}', o[k], tr[f'train.{k}'])
    cmp_grads('train grad', grads(net, o['loss'].sum()), tr, 'train.grad_sum_loss.')
    sg, h = load_file(f'{d}/tiny_{name}_sgd.safetensors'), meta['sgdclip']
    net = Twin(cfg).load_state(sd); opt = SgdClip(net, **h['hyper'])
    for i, s in enumerate(h['streams']):
        opt.zero_grad(); obj = net.objective(*(f['in.' + k] for k in ('video', 'perspective', 'modulation', 'target')), burnin=2, stream=s, train=False)
        obj.backward(); opt.step(); show(f'sgd step {i} objective', abs(obj.item() - h['objectives'][i]) / abs(h['objectives'][i]))
        if i in (0, 3): show(f'sgd parameters after step {i} (absolute)', max((net.p[k[12:]] - v).abs().max().item() for k, v in sg.items() if k.startswith(f'after_step{i}.') and k[12:] in net.p), 2e-4 if i else 1e-5)

def full(d, name):
    f = load_file(f'{d}/full_{name}.safetensors'); meta = json.load(open(f'{d}/full_{name}_meta.json')); st = meta['stride']
    T, N, U = meta['T'], meta['N'], meta['U']; net = Twin(TwinConfig.microns(U)).fill(meta['seed'])
    ins = dict(zip(('video', 'perspective', 'modulation', 'target'), fill_inputs(meta['seed'], T, N, U)))
    print(f'== full {name}: generated inputs equal the stored ones:', all(torch.equal(v, f['in.' + k]) for k, v in ins.items()))
    with torch.inference_mode():
        o = run(net, f, tap=True)
        for k in ('response', 'loss', 'readout', 'modulation'): cmp(k, o[k], f[k])
        for t in (0, 11): cmp(f'perspective.t{t}', o['perspective'][t], f[f'perspective.t{t}'])
        ff, R = 'core.feedforward.', 'core.recurrent.'
        nm = dict(ff_input0=ff + 'inputs.0', ff_input1=ff + 'inputs.1', ff_input2=ff + 'inputs.2', ff_block0=ff + 'blocks.0', ff_block1=ff + 'blocks.1', ff_block2=ff + 'blocks.2', rec_conv=R + 'conv', rec_proj_x='proj_x')
        for k in sorted(x for x in f if x.startswith('sub.')): cmp(k, o[nm.get(k[4:], k[4:])].flatten(1)[:, ::st], f[k])
        cmp('response vs f64', o['response'], f['f64.response'])
        o = run(net, f, T=4, stream=2)
        for k in ('response', 'readout'): cmp(f'stream2 {k}', o[k] if k == 'response' else o[k][:, :, 0], f[f'stream2.{k}'])
    g = grads(net, run(net, f, T=meta['grad']['T'], N=1)['loss'].sum())
    es = {True: [], False: []}
    for k in f:
        if k.startswith('gradsub.') and g[k[8:]] is not None:
            v = g[k[8:]].flatten(); es[k[8:].startswith('perspective')].append((rel(v[::max(1, v.numel() // 32)][:32], f[k]), k[8:]))
    for p in (True, False): show(f"gradsub {'perspective' if p else 'other'} ({len(es[p])}; {max(es[p])[1][:36]})", max(es[p])[0])
    l2 = [(abs(g[k].double().norm().item() - v['l2']) / max(v['l2'], 1e-12), k) for k, v in meta['grad']['per_param'].items() if g[k] is not None and v['l2'] > 0]
    show(f'grad l2 of {len(l2)} parameters ({max(l2)[1][:30]})', max(l2)[0], 1e-3)

def table():
    """Our parameter table against state_dict_keys.tsv: order, shape, decay, norm_dim, scale, constants."""
    net = Twin(TwinConfig.microns(16)); rows = list(csv.DictReader(open(HERE + '/../../tests/fixtures/twin/state_dict_keys.tsv'), delimiter='\t')); n = 0
    for (k, e), r in zip(net.table.items(), rows, strict=True):
        shape = () if r['shape'] == 'scalar' else tuple(map(int, r['shape'].split('x')))
        assert (k, e.shape, e.kind) == (r['key'], shape, r['kind']), (k, e, r); n += 1
        if e.kind != 'param': continue
        nd = 'None' if e.norm_dim is None else str(e.norm_dim[0]) if len(e.norm_dim) == 1 else str(list(e.norm_dim))
        assert (str(int(e.decay)), nd, e.scale) == (r['decay'], r['norm_dim'], 16 if r['lr_scale'] == 'U' else 1), (k, e, r)
        if r['init'].startswith('const'): assert torch.all(net.p[k] == float(r['init'][6:])), k
    assert [f'{x:08x}' for x in hash3(20250409, 17, np.arange(4))] == '159da702 ded5b993 eb889670 96803250'.split()
    c = lambda p: sum(v.numel() for k, v in net.p.items() if k.startswith(p)); print(f'== table: {n} entries agree with the tsv; core {c("core.")}, modulation {c("modulation.")}, perspective {c("perspective.")}')

table()
for d in sys.argv[1:] or [HERE + '/../../tests/fixtures/twin']:
    for p in sorted(glob.glob(f'{d}/tiny_*_meta.json')): tiny(d, p.split('tiny_')[-1][:-10])
    for p in sorted(glob.glob(f'{d}/full_*_meta.json')): full(d, p.split('full_')[-1][:-10])
print('OVER TOLERANCE:', bad or 'none')
