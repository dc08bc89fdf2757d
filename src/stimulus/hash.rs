//! Random numbers by counting: what is drawn depends only on the seed and on what is asked, never on what was asked
//! before, so that any frame can be drawn first, twice or alone. `shaders/shared/hash.wgsl` computes the same bits.

/// Four random words for two counters under a seed.
///
/// The integer hash `pcg4d` of Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020: a bijection of
/// 128 bits, so two seeds that differ in any of their 64 bits never give the same four words for the same counters.
pub fn random_words(seed: u64, a: u32, b: u32) -> [u32; 4] {
    let [mut x, mut y, mut z, mut w] = [a, b, seed as u32, (seed >> 32) as u32]
        .map(|word: u32| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let mut stir = || {
        x = x.wrapping_add(y.wrapping_mul(w));
        y = y.wrapping_add(z.wrapping_mul(x));
        z = z.wrapping_add(x.wrapping_mul(y));
        w = w.wrapping_add(y.wrapping_mul(z));
        [x, y, z, w] = [x, y, z, w].map(|word| word ^ (word >> 16));
    };
    stir();
    stir();
    // The published hash ends before the second shift; one more is still a bijection and costs nothing.
    [x, y, z, w]
}

/// [`random_words`] of the counters `a`, `a + 1` and so on, the first words of all before the second: the same bits,
/// many at a time.
#[inline(always)]
pub fn random_words_from<const N: usize>(seed: u64, a: u32, b: u32) -> [[u32; N]; 4] {
    let spread = |word: u32| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let mut x = [0; N];
    for (lane, x) in x.iter_mut().enumerate() {
        *x = spread(a.wrapping_add(lane as u32));
    }
    let [mut y, mut z, mut w] = [b, seed as u32, (seed >> 32) as u32].map(|word| [spread(word); N]);
    for _ in 0..2 {
        add_product(&mut x, &y, &w);
        add_product(&mut y, &z, &x);
        add_product(&mut z, &x, &y);
        add_product(&mut w, &y, &z);
        for words in [&mut x, &mut y, &mut z, &mut w] {
            for word in words {
                *word ^= *word >> 16;
            }
        }
    }
    [x, y, z, w]
}

/// `sums += a * b`, each on its own.
#[inline(always)]
fn add_product<const N: usize>(sums: &mut [u32; N], a: &[u32; N], b: &[u32; N]) {
    for lane in 0..N {
        sums[lane] = sums[lane].wrapping_add(a[lane].wrapping_mul(b[lane]));
    }
}
