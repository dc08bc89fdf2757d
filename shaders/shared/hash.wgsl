// Random numbers by counting; the same bits as src/stimulus/hash.rs, where the source is named.

fn random_words(seed: vec2<u32>, a: u32, b: u32) -> vec4<u32> {
    var v = vec4<u32>(a, b, seed.x, seed.y) * 1664525u + 1013904223u;
    for (var round = 0u; round < 2u; round++) {
        v.x += v.y * v.w;
        v.y += v.z * v.x;
        v.z += v.x * v.y;
        v.w += v.y * v.z;
        v ^= v >> vec4<u32>(16u);
    }
    return v;
}
