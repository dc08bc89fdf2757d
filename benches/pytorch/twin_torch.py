"""Visual-cortex twin network (Wang et al., Nature 2025) in plain PyTorch, written from the published description alone.

Flat functional style: one dict of parameters under the released state-dict names, one dict of effective weights per
sequence, one dict of carried state. N batch, S running streams, C channels per stream, H x W map, U units; a stream-major
tensor is [N, S*C, H, W].  `step` is the plain per-frame path (one grouped conv3d per layer over its stacked history).
"""
import csv, math, os
from dataclasses import dataclass
import numpy as np
import torch
import torch.nn.functional as F

GAMMA = 1.7015043497085571                      # keeps unit variance through gelu
HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class TwinConfig:
    """All sizes; the defaults are the MICrONS network. `channels/groups/layers/temporals/spatials/pools`: one entry per block."""
    units: int = 1000
    streams: int = 4
    input_spatial: int = 6
    input_stride: int = 2
    channels: tuple = (32, 64, 128)
    groups: tuple = (1, 2, 4)
    layers: tuple = (2, 2, 2)
    temporals: tuple = (3, 3, 3)
    spatials: tuple = (3, 3, 3)
    pools: tuple = (2, 2, 1)
    ff_out: int = 128
    rec_in: int = 256
    rec_hidden: int = 256
    rec_common: int = 512
    rec_out: int = 128
    rec_groups: int = 8
    rec_spatial: int = 3
    retina: tuple = (128, 192)                  # height, width
    degrees: float = 75.0
    eye_features: int = 16
    eye_layers: int = 3
    mod_features: int = 16
    mod_layers: int = 1
    lstm_features: int = 16

    @classmethod
    def microns(cls, units=1000):
        return cls(units=units)

    @classmethod
    def from_meta(cls, c, units):
        """Config from the nested dict stored in a tiny fixture's meta.json."""
        f, r, p, m = c['ff'], c['rec'], c['persp'], c['mod']
        return cls(units, c['streams'], f['input_spatial'], f['input_stride'], *(tuple(f['block_' + k]) for k in
                   ('channels', 'groups', 'layers', 'temporals', 'spatials', 'pools')), f['out_channels'], r['in_channels'],
                   r['hidden_channels'], r['common_channels'], r['out_channels'], r['groups'], r['spatial'],
                   (p['height'], p['width']), c['degrees'], p['mlp_features'], p['mlp_layers'],
                   m['mlp_features'], m['mlp_layers'], m['lstm_features'])


@dataclass
class Layer:
    """One conv or, with inter=True, one InterGroup. Channel counts are per stream."""
    cin: int
    cout: int
    gin: int = 1
    gout: int = 1
    kt: int = 1
    k: int = 1
    stride: int = 1
    replicate: bool = False
    wnorm: bool = True
    gain: float = 1.0                           # initial gain, None = no gain parameter
    bias: float = 0.0                           # initial bias, None = no bias parameter
    shared: bool = False                        # a single copy (index 0) instead of one per stream
    inter: bool = False
    zero_init: bool = False


@dataclass
class Entry:
    """One state-dict entry. `norm_dim` axes of the clipping norm (None = whole tensor); scale multiplies the gradient."""
    shape: tuple
    init: object                                # callable() -> tensor
    kind: str = 'param'
    decay: bool = False
    norm_dim: object = None
    scale: float = 1.0


def make_layers(c):
    """Ordered {name: Layer} of every conv-like layer, in state-dict order (core, then eye MLP, then modulation)."""
    L, s2, ff, rec = {}, 2 ** -0.5, 'core.feedforward.', 'core.recurrent.'
    width = 1
    for i, (C, G, n) in enumerate(zip(c.channels, c.groups, c.layers)):
        first = dict(k=c.input_spatial, stride=c.input_stride, wnorm=False, gain=None) if i == 0 else dict(gout=G)
        L[f'{ff}inputs.{i}'] = Layer(width, C, replicate=True, **first)
        width = C * (n + 1)
    for i, (C, G, n, kt, k) in enumerate(zip(c.channels, c.groups, c.layers, c.temporals, c.spatials)):
        for l in range(n):
            L[f'{ff}blocks.{i}.convs.{l}'] = Layer(C, C, G, G, kt, k, gain=1.0 if l == 0 else s2)
        for l in range(1, n):
            L[f'{ff}blocks.{i}.skips.{l}'] = Layer(l * C, C, G, G, gain=s2, bias=None)
    L[ff + 'out'] = Layer(width, c.ff_out, replicate=True)
    G, I, Hd, Z = c.rec_groups, c.rec_in, c.rec_hidden, c.rec_common
    L[rec + 'conv'] = Layer(I + Hd, Z, G, G, k=c.rec_spatial, gain=None, bias=None)
    gx = 3 ** -0.5
    L[rec + 'proj_x.0'] = Layer(Hd, I, gain=gx, bias=None, inter=True)
    L[rec + 'proj_x.1'] = Layer(c.ff_out, I, 1, G, gain=gx)
    L[rec + 'proj_x.2'] = Layer(c.lstm_features, I, 1, G, gain=gx, bias=None)
    for j in 'qkv':
        L[f'{rec}proj_{j}'] = Layer(Z, Z, G, G, gain=None, bias=None)
    for j, b in zip('ifgo', (-1.0, 1.0, 0.0, 0.0)):
        L[f'{rec}proj_{j}'] = Layer(2 * Z, Hd, G, G, bias=b)
    L[rec + 'out'] = Layer(Hd, c.rec_out)
    sizes = [2] + [c.eye_features] * c.eye_layers + [3]
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        raw = dict(wnorm=False, gain=None, zero_init=True) if i == 0 else {}
        L[f'perspective.mlp.linears.{i}'] = Layer(a, b, shared=True, **raw)
    for i in range(c.mod_layers):
        raw = dict(wnorm=False, gain=None, zero_init=True) if i == 0 else {}
        L[f'modulation.mlp.linears.{i}'] = Layer(2 if i == 0 else c.mod_features, c.mod_features, **raw)
    for j, b in zip('ifgo', (-1.0, 1.0, 0.0, 0.0)):
        L[f'modulation.lstm.proj_{j}'] = Layer(c.mod_features + c.lstm_features, c.lstm_features, bias=b)
    return L


def make_table(c, layers):
    """Ordered {state-dict key: Entry}; the position in this dict is the `index` of the deterministic fill."""
    T, S, U, G = {}, range(c.streams), c.units, c.rec_groups
    full = lambda shape, v: (lambda: torch.full(shape, float(v)))

    def add(name):
        L = layers[name]
        ids = [0] if L.shared else S
        if L.inter:
            shape = (G, G - 1, L.cout // G, L.cin // G); fan = (G - 1) * L.cin // G; dims = (1, 3)
        else:
            shape = (L.cout, L.cin // L.gin, L.kt, L.k, L.k); fan = math.prod(shape[1:]); dims = (1, 2, 3, 4)
        r = 0.0 if L.zero_init else math.sqrt((1 if L.wnorm else 3) / fan)
        for s in ids:
            T[f'{name}.weights.{s}'] = Entry(shape, lambda shape=shape, r=r: (torch.rand(shape) * 2 - 1) * r, decay=True, norm_dim=dims)
        gout = (G, L.cout // G) if L.inter else (L.gout, L.cout // L.gout)
        for what, v in (('gains', L.gain), ('biases', L.bias)):
            if v is not None:
                for s in ids:
                    T[f'{name}.{what}.{s}'] = Entry(gout, full(gout, v), norm_dim=(1,))

    for name in layers:
        if not name.startswith('core.'): continue
        if name.endswith('proj_x.0'):
            h, i = c.rec_hidden // G, c.rec_in // G
            for s in S: T[f'core.recurrent.scales.{s}'] = Entry((G, c.rec_common // G), full((G, c.rec_common // G), 1), norm_dim=(1,))
            T['core.recurrent.proj_x.0.mask'] = Entry((G, G, 1, 1), lambda: ~torch.eye(G, dtype=torch.bool).view(G, G, 1, 1), 'buffer')
            T['core.recurrent.proj_x.0.zero'] = Entry((G, G, i, h), full((G, G, i, h), 0), 'buffer')
        add(name)
    P = 'perspective.'
    T[P + 'monitor.center'] = Entry((3,), lambda: torch.tensor([0., 0., 0.5]))
    for k, v in (('angle', 0), ('center_std', 0.05), ('angle_std', 0.05)): T[f'{P}monitor.{k}'] = Entry((3,), full((3,), v))
    for k, v in (('power', 1.7), ('scale', 1), ('offset', 0)): T[f'{P}monitor_pixel.{k}'] = Entry((), full((), v), 'buffer')
    T[P + 'retina.grid'] = Entry((*c.retina, 3), lambda: retina_rays(*c.retina, c.degrees), 'buffer')
    for k, v in (('logit', 0), ('scale', 1), ('offset', 0)): T[f'{P}retina_pixel.{k}'] = Entry((1,), full((1,), v))
    for name in layers:
        if not name.startswith('core.'): add(name)
    T['readout.position.mu'] = Entry((U, 2), full((U, 2), 0), scale=U)
    T['readout.position.sigma'] = Entry((U, 2, 2), lambda: 0.4 * torch.eye(2).repeat(U, 1, 1), scale=U)
    for s in S: T[f'readout.feature.weights.{s}'] = Entry((U, 1, c.rec_out), full((U, 1, c.rec_out), 0), decay=True, norm_dim=(2,), scale=U)
    for s in S: T[f'readout.biases.{s}'] = Entry((U, 1), full((U, 1), 0), norm_dim=(0,), scale=U)
    return T


def retina_rays(h, w, degrees):
    """Unit viewing ray of every retina pixel -> [h, w, 3]."""
    shrink = (w - 1) / w
    gx = torch.linspace(-1, 1, w, dtype=torch.float64) * shrink
    gy = torch.linspace(-1, 1, h, dtype=torch.float64) * h / w * shrink
    y, x = torch.meshgrid(gy, gx, indexing='ij')
    r = (torch.hypot(x, y) * math.radians(degrees)).clamp(max=math.pi / 2)
    th = torch.atan2(y, x)
    return torch.stack([r.sin() * th.cos(), r.sin() * th.sin(), r.cos()], -1).float()


def rotation(a):
    """Euler angles [..., 3] (x, y, z) -> Rz @ Ry @ Rx, [..., 3, 3]."""
    (cx, cy, cz), (sx, sy, sz) = a.cos().unbind(-1), a.sin().unbind(-1)
    o, i = torch.zeros_like(cx), torch.ones_like(cx)
    m = lambda *v: torch.stack(v, -1).unflatten(-1, (3, 3))
    return m(cz, -sz, o, sz, cz, o, o, o, i) @ m(cy, o, sy, o, i, o, -sy, o, cy) @ m(i, o, o, o, cx, -sx, o, sx, cx)


def cat_groups(xs, G):
    """Concatenate [N, C_i, ...] tensors inside each of G channel groups -> [N, sum C_i, ...]."""
    return torch.cat([x.unflatten(1, (G, -1)) for x in xs], 2).flatten(1, 2)


def act(x):
    return F.gelu(x) * GAMMA


def standardise(w, gain, dims, gain_shape):
    """Zero-mean, variance-controlled filters with the learned gain; same shape as w."""
    fan = math.prod(w.shape[d] for d in dims)
    var, mean = torch.var_mean(w, dims, correction=0, keepdim=True)
    w = (w - mean) * (var * fan + 1e-5).rsqrt()
    return w if gain is None else w * gain.reshape(gain_shape)


class Twin:
    """Parameters `p`, buffers `buf`; call `reset` once per sequence and `step` once per frame."""

    def __init__(self, cfg, dtype=torch.float32):
        self.cfg, self.dtype = cfg, dtype
        self.layers = make_layers(cfg)
        self.table = make_table(cfg, self.layers)
        self.p, self.buf = {}, {}
        for k, e in self.table.items():
            t = e.init()
            if t.is_floating_point(): t = t.to(dtype)
            (self.p if e.kind == 'param' else self.buf)[k] = t.requires_grad_() if e.kind == 'param' else t
        self.extend = False                     # periphery: False dark, True edge replication
        self.tap = None                         # set to a dict to record layer outputs by name
        self.reset()

    # ---------------------------------------------------------------- parameters
    def load_state(self, sd):
        """Strict copy of a released (or fixture) state dict, torch or numpy values."""
        if set(sd) != set(self.table): raise KeyError(sorted(set(sd) ^ set(self.table)))
        with torch.no_grad():
            for k, v in sd.items():
                dst = self.p.get(k, self.buf.get(k)); v = torch.as_tensor(v)
                if dst.shape != v.shape: raise ValueError((k, dst.shape, v.shape))
                dst.copy_(v)
        self.reset(); return self

    def fill(self, seed, tsv=HERE + '/../../tests/fixtures/twin/state_dict_keys.tsv'):
        """Deterministic fill: value[e] = offset + scale * R(H(seed, index, e)), f32, bit-reproducible."""
        with torch.no_grad():
            for row in csv.DictReader(open(tsv), delimiter='\t'):
                if row['kind'] != 'param': continue
                t = self.p[row['key']]
                off = np.array([float(x) for x in row['fill_offset'].split(',')], np.float32)
                v = np.resize(off, t.numel()) + np.float32(row['fill_scale']) * unit_noise(hash3(seed, int(row['index']), np.arange(t.numel())))
                t.copy_(torch.from_numpy(v).reshape(t.shape))
        self.reset(); return self

    # ---------------------------------------------------------------- per sequence
    def reset(self, stream=None, train=False, noise=None):
        """Forget all state. stream: None = all, else one index. train: sample positions and monitor pose, from `noise`
        {center [N,3], angle [N,3], position [N,U,2]} if given. Effective weights are rebuilt at the first step."""
        self.stream, self.ids = stream, list(range(self.cfg.streams)) if stream is None else [stream]
        self.train, self.noise = train, noise
        self.W, self.hist, self.state, self.pose, self.pos = None, {}, {}, None, None

    def weights(self):
        """{layer: (weight [S*O, I/g, kt, k, k], bias [S*O] or None)} for the running streams; InterGroup becomes dense 1x1."""
        W, p, G = {}, self.p, self.cfg.rec_groups
        for name, L in self.layers.items():
            ids, ws = [0] if L.shared else self.ids, []
            for s in ids:
                w, g = p[f'{name}.weights.{s}'], p.get(f'{name}.gains.{s}')
                if L.inter:
                    w = standardise(w, g, (1, 3), (G, 1, -1, 1))
                    m = self.buf[name + '.zero'].masked_scatter(self.buf[name + '.mask'].expand(G, G, *w.shape[2:]), w)
                    w = m.permute(0, 2, 1, 3).reshape(L.cout, L.cin, 1, 1, 1)
                elif L.wnorm:
                    w = standardise(w, g, (1, 2, 3, 4), (-1, 1, 1, 1, 1))
                ws.append(w)
            b = None if L.bias is None else torch.cat([p[f'{name}.biases.{s}'].flatten() for s in ids])
            W[name] = torch.cat(ws), b
        return W

    # ---------------------------------------------------------------- layers
    def conv(self, name, x):
        """x [N, S*I, H, W] (or [N, S*I]) -> [N, S*O, H', W'] (or [N, S*O]); keeps the last kt padded frames itself."""
        L, (w, b) = self.layers[name], self.W[name]
        flat = x.dim() == 2
        if flat: x = x[:, :, None, None]
        pad = (L.k - L.stride) // 2
        if pad: x = F.pad(x, (pad,) * 4, mode='replicate' if L.replicate else 'constant')
        if L.kt > 1:
            h = self.hist.get(name) or [torch.zeros_like(x)] * (L.kt - 1)
            h = h + [x]
            self.hist[name] = h[1:]
            x = torch.stack(h, 2)
        else:
            x = x[:, :, None]
        y = F.conv3d(x, w, b, stride=(1, L.stride, L.stride), groups=L.gin * (1 if L.shared else len(self.ids)))
        y = y[:, :, 0, 0, 0] if flat else y[:, :, 0]
        if self.tap is not None: self.tap[name] = y
        return y

    def lstm_gates(self, prefix, x, c):
        """Gates i, f, g, o on x, old cell c -> new (h, c)."""
        i, f, g, o = (self.conv(f'{prefix}.proj_{j}', x) for j in 'ifgo')
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    # ---------------------------------------------------------------- stages
    def see(self, video, pupil):
        """video u8 [N,Hm,Wm,1], pupil [N,2] -> retina image [N,1,Hr,Wr]."""
        P, p, (Hr, Wr) = 'perspective.', self.p, self.cfg.retina
        x, last = pupil, self.cfg.eye_layers
        for i in range(last + 1):
            x = self.conv(f'{P}mlp.linears.{i}', x)
            if i < last: x = act(x)
        R = rotation(x)                                                              # [N,3,3]
        rays = torch.einsum('nij,hwj->nhwi', R, self.buf[P + 'retina.grid'])         # [N,Hr,Wr,3]
        if self.pose is None:
            c, a = p[P + 'monitor.center'].expand(len(R), 3), p[P + 'monitor.angle'].expand(len(R), 3)
            if self.train:
                zc, za = (self.noise['center'], self.noise['angle']) if self.noise else (torch.randn_like(c), torch.randn_like(a))
                c, a = c + zc * p[P + 'monitor.center_std'], a + za * p[P + 'monitor.angle_std']
            self.pose = c, rotation(a)
        c, M = self.pose                                                             # [N,3], columns of M = X, Y, Z
        num = torch.einsum('nij,ni->nj', M, c)[:, 2]
        den = torch.einsum('nhwi,ni->nhw', rays, M[:, :, 2]).clamp(min=1e-5)
        d = (num[:, None, None] / den)[..., None] * rays - c[:, None, None]
        pxy = torch.einsum('nhwi,nij->nhwj', d, M[:, :, :2])                         # monitor coordinates
        v = (video.double() / 255).float().to(self.dtype).permute(0, 3, 1, 2)
        v = v ** self.buf[P + 'monitor_pixel.power'] * self.buf[P + 'monitor_pixel.scale'] + self.buf[P + 'monitor_pixel.offset']
        Hm, Wm = v.shape[2:]
        k = Wm / (Wm - 1)
        grid = torch.stack([pxy[..., 0] * k * (Wr - 1) / Wr, pxy[..., 1] * Wm / Hm * k * (Hr - 1) / Hr], -1)
        n = max(len(v), len(grid))
        y = F.grid_sample(v.expand(n, -1, -1, -1), grid.expand(n, -1, -1, -1), 'bilinear', 'border' if self.extend else 'zeros', align_corners=False)
        y = (y + 1e-5) ** p[P + 'retina_pixel.logit'].sigmoid() * p[P + 'retina_pixel.scale'] + p[P + 'retina_pixel.offset']
        if self.tap is not None: self.tap.update(rmat=R, monitor_grid=pxy)
        return y

    def modulate(self, m):
        """Behaviour [N,2] -> [N, S*F]."""
        S = len(self.ids)
        x = m.repeat(1, S)
        for i in range(self.cfg.mod_layers): x = act(self.conv(f'modulation.mlp.linears.{i}', x))
        h, c = self.state.get('mod') or (x.new_zeros(len(x), S * self.cfg.lstm_features),) * 2
        self.state['mod'] = self.lstm_gates('modulation.lstm', cat_groups([x, h], S), c)
        return self.state['mod'][0]

    def feedforward(self, x):
        """Tiled retina [N,S,Hr,Wr] -> [N, S*ff_out, H, W]."""
        c, S, ff = self.cfg, len(self.ids), 'core.feedforward.'
        for i, (G, n, pool) in enumerate(zip(c.groups, c.layers, c.pools)):
            x = self.conv(f'{ff}inputs.{i}', x)
            z, name = x, f'{ff}blocks.{i}'
            for l in range(n):
                y = act(x)
                if l == 0:
                    x, skip = self.conv(f'{name}.convs.0', y), y
                else:
                    x = self.conv(f'{name}.convs.{l}', y) + self.conv(f'{name}.skips.{l}', skip)
                    if l + 1 < n: skip = cat_groups([skip, y], S * G)
                z = cat_groups([z, x], S * G)
            x = F.avg_pool2d(z, pool) if pool > 1 else z
            if self.tap is not None: self.tap[name] = x
        return self.conv(ff + 'out', x)

    def attend(self, q, k, v):
        """q, k, v [N, S*Z, H, W] -> [N, S*Z, H, W]: cosine attention over positions inside every (stream, group)."""
        S, G, (H, W) = len(self.ids), self.cfg.rec_groups, q.shape[2:]
        q, k, v = (t.reshape(len(t), S, G, -1, H * W) for t in (q, k, v))
        scale = torch.stack([self.p[f'core.recurrent.scales.{s}'] for s in self.ids])[None, ..., None]
        q = q / q.norm(dim=3, keepdim=True) * scale
        k = k / k.norm(dim=3, keepdim=True)
        w = torch.einsum('nsgcq,nsgcd->nsgqd', q, k).softmax(-1)
        return torch.einsum('nsgcd,nsgqd->nsgcq', v, w).reshape(len(v), -1, H, W)

    def recurrent(self, f, m):
        """f [N, S*ff_out, H, W], m [N, S*F] -> core output [N, S*rec_out, H, W]; carries h, c [N, S*hidden, H, W]."""
        R, S, cf = 'core.recurrent.', len(self.ids), self.cfg
        G, (N, _, H, W) = cf.rec_groups, f.shape
        h, c = self.state.get('rec') or (f.new_zeros(N, S * cf.rec_hidden, H, W),) * 2
        x = self.conv(R + 'proj_x.0', h) + self.conv(R + 'proj_x.1', f) + self.conv(R + 'proj_x.2', m[:, :, None, None])
        xh = cat_groups([x.tanh(), h], S * G)
        z = self.conv(R + 'conv', xh)
        a = self.attend(*(self.conv(f'{R}proj_{j}', z) for j in 'qkv'))
        za = cat_groups([z, a], S * G)
        h, c = self.state['rec'] = self.lstm_gates('core.recurrent', za, c)
        if self.tap is not None: self.tap.update(xh=xh, za=za, proj_x=x)
        return self.conv(R + 'out', h)

    def read(self, core):
        """core [N, S*rec_out, H, W] -> per-stream log rates [N, S, U, 1]."""
        p, N, S = self.p, len(core), len(self.ids)
        if self.pos is None:
            mu = p['readout.position.mu'].expand(N, -1, -1)
            if self.train:
                z = self.noise['position'] if self.noise else torch.randn_like(mu)
                mu = mu + torch.einsum('ucd,nud->nuc', p['readout.position.sigma'], z)
            self.pos = mu.tanh()[:, :, None]                                         # [N,U,1,2]
        feat = F.grid_sample(core, self.pos, 'bilinear', 'border', align_corners=False).reshape(N, S, self.cfg.rec_out, -1)
        w = torch.stack([p[f'readout.feature.weights.{s}'] for s in self.ids])       # [S,U,1,C]
        b = torch.stack([p[f'readout.biases.{s}'] for s in self.ids])                # [S,U,1]
        return torch.einsum('surc,nscu->nsur', w, feat) + b

    # ---------------------------------------------------------------- frame / sequence
    def step(self, video, pupil=None, behaviour=None, target=None):
        """One frame -> dict of stage outputs; `response` [N,U], `loss` [N,U] if target [N,U] is given."""
        if self.W is None: self.W = self.weights()
        z = torch.zeros(1, 2, dtype=self.dtype)
        pupil, m = (z if t is None else t.to(self.dtype) for t in (pupil, behaviour))
        N = max(len(video), len(pupil), len(m))
        o = dict(perspective=self.see(video, pupil).expand(N, -1, -1, -1))
        o['modulation'] = self.modulate(m.expand(N, -1))
        o['feedforward'] = self.feedforward(o['perspective'].repeat(1, len(self.ids), 1, 1))
        o['recurrent'] = self.recurrent(o['feedforward'], o['modulation'])
        o['readout'] = self.read(o['recurrent'])
        o['raw'] = o['readout'].mean(1) if self.stream is None else o['readout'][:, 0]
        r = o['raw'][..., 0]
        o['response'] = r.exp()
        if target is not None: o['loss'] = o['response'] - r * target
        return o

    @torch.inference_mode()
    def predict(self, video, pupil, behaviour):
        """Clip [T,N,...] -> responses [T,N,U] in eval mode."""
        self.reset()
        return torch.stack([self.step(v, e, b)['response'] for v, e, b in zip(video, pupil, behaviour)])

    def objective(self, video, pupil, behaviour, target, burnin=10, stream=None, train=True, noise=None):
        """Mean Poisson loss over a clip [T,N,...] after burn-in; call .backward() on it."""
        self.reset(stream, train, noise)
        loss = [self.step(*x)['loss'] for x in zip(video, pupil, behaviour, target)]
        return torch.stack(loss[burnin:]).mean()


class SgdClip:
    """SGD with adaptive clipping, (Nesterov) momentum and decoupled-style decay. Skips parameters without grad."""

    def __init__(self, net, lr=0.1, decay=1e-4, momentum=0.9, nesterov=True, clip=0.01, eps=0.001):
        self.net, self.lr, self.decay, self.mu, self.nesterov, self.clip, self.eps = net, lr, decay, momentum, nesterov, clip, eps
        self.m = {}

    @torch.no_grad()
    def step(self):
        for k, p in self.net.p.items():
            if p.grad is None: continue
            e = self.net.table[k]
            g = p.grad * e.scale
            if self.clip < math.inf:
                dims = tuple(range(p.dim())) if e.norm_dim is None else e.norm_dim
                pn, gn = (t.square().sum(dims, keepdim=True).sqrt() for t in (p, g))
                mx = (self.clip * pn).clamp(min=self.eps * math.sqrt(p.numel()))
                g = g * (mx / torch.maximum(gn, mx))
            if self.mu > 0:
                m = self.m[k] = self.mu * self.m[k] + g if k in self.m else g.clone()
                g = g + self.mu * m if self.nesterov else m
            if self.decay > 0 and e.decay: g = g + self.decay * p
            p.sub_(self.lr * g)

    def zero_grad(self):
        for p in self.net.p.values(): p.grad = None


# ---------------------------------------------------------------- deterministic fill
def mix(x):
    """u32 -> u32 avalanche, wrapping."""
    x = np.array(x, np.uint32)
    for shift, mul in ((16, 0x7feb352d), (15, 0x846ca68b)): x ^= x >> np.uint32(shift); x *= np.uint32(mul)
    return x ^ (x >> np.uint32(16))


def hash3(seed, key, e):
    """H(seed, key, e) for an integer array e -> u32 array."""
    u = lambda v: np.asarray(v, np.uint64).astype(np.uint32)
    k = mix(u([(int(mix([seed])[0]) + key * 0x9E3779B1) & 0xFFFFFFFF]))
    return mix(k + u(e) * np.uint32(0x85EBCA6B))


def unit_noise(h):
    """u32 -> f32 in [-1, 1), exact."""
    return ((h >> np.uint32(8)).astype(np.int32) - (1 << 23)).astype(np.float32) * np.float32(2.0 ** -23)


def fill_inputs(seed, T, N, U, Hm=144, Wm=256):
    """Inputs -> video u8 [T,N,Hm,Wm,1], pupil [T,N,2], behaviour [T,N,2], target [T,N,U] as torch tensors."""
    t, n, y, x = np.ogrid[:T, :N, :Hm, :Wm]
    cell = (((t // 2) * N + n) * -(-Hm // 6) + y // 6) * -(-Wm // 6) + x // 6
    v = (hash3(seed, 0xFFFF0001, cell) >> np.uint32(24)).astype(np.uint8)[..., None]
    r = lambda key, *s: unit_noise(hash3(seed, key, np.arange(math.prod(s)))).reshape(s)
    return tuple(map(torch.from_numpy, (v, 2 * r(0xFFFF0002, T, N, 2), 2 * r(0xFFFF0003, T, N, 2), 1 + r(0xFFFF0004, T, N, U))))
