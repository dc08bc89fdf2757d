//! A world of objects on a screen, ready to be drawn.

use std::f64::consts::TAU;
use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::camera::{Camera, PATHS, View};
use super::canvas::Canvas;
use super::draw::{self, part};
use super::lanes::{Lanes, SET, STEP, ask_for, dispatched};
use super::leaf::{CORNER, Leaf, Look};
use super::lists::Lists;
use super::texture::{TEXELS, Texture};
use super::tiles::Stack;
use super::{LONGEST, SHADER, Scene};
use crate::signals::{Degrees, Monitor};
use crate::stimulus::drawing::{Drawing, Painting, Pass, Table};
use crate::stimulus::hash::random_words;
use crate::stimulus::screen::Screen;
use crate::stimulus::swing;

/// Objects that are looked at together.
const CROWD: usize = 256;

/// A scene on a screen, ready to be drawn.
#[derive(Debug)]
pub(super) struct World {
    pub looming_per_sec: f64,
    pub seed: u64,
    pub background: f32,
    /// Grey levels of one standard deviation of the objects.
    pub spread: f32,
    /// Grey levels of one standard deviation of the texture.
    relief: f32,
    pub camera: Camera,
    side: Degrees,
    homes: Vec<[u32; 2]>,
    looks: Vec<Look>,
    /// Distance from an object's centre that none of it exceeds, degrees.
    reaches: Vec<f32>,
    path: Vec<u8>,
    texture: Texture,
}

/// Objects of a crowd that the camera sees.
struct Met {
    count: usize,
    numbers: [u32; CROWD],
    reaches: [f32; CROWD],
    /// How far right and up, degrees.
    at: [[f32; 2]; CROWD],
}

impl World {
    pub fn new(scene: &Scene, monitor: &Monitor, seed: u64) -> Self {
        let count = scene.objects(monitor).max(1.0) as u32;
        let deviation = scene.contrast * swing(monitor.background);
        let side = scene.side(monitor);
        let mut world = Self {
            looming_per_sec: scene.looming_per_sec,
            seed,
            background: f32::from(monitor.background),
            spread: (deviation * (1.0 - scene.texture).sqrt()) as f32,
            relief: (deviation * scene.texture.sqrt()) as f32,
            camera: Camera::new(scene, monitor, side, seed),
            side,
            homes: Vec::with_capacity(count as usize),
            looks: Vec::with_capacity(count as usize),
            reaches: Vec::with_capacity(count as usize),
            path: Vec::with_capacity(count as usize),
            texture: Texture::new(seed),
        };
        for index in 0..count {
            let [x, y, size, path] = random_words(seed, index, draw::PLACE);
            let look = world.look(scene.diameter(part(size)), [draw::LOOK, draw::SURFACE], index);
            let corner = if look.rectangle { CORNER as f32 } else { 1.0 };
            world.homes.push([x, y]);
            world.reaches.push(look.axes[0] * corner);
            world.looks.push(look);
            world.path.push((path % PATHS as u32) as u8);
        }
        world
    }

    /// The look of an object of this diameter.
    pub fn look(&self, diameter: Degrees, draws: [u32; 2], index: u32) -> Look {
        let [angle, longer, grey, shape] = random_words(self.seed, index, draws[0]);
        let [right, up, ..] = random_words(self.seed, index, draws[1]);
        // Both axes change, so that the area stays that of the disc.
        let longer = LONGEST.powf(part(longer) / 2.0);
        let (sin, cos) = (TAU * part(angle)).sin_cos();
        Look {
            axes: [(diameter / 2.0 * longer) as f32, (diameter / 2.0 / longer) as f32],
            along: [cos as f32, sin as f32],
            texture: [right, up].map(|word| (part(word) * TEXELS as f64) as f32),
            // Uniform levels of deviation 1 reach the root of 3.
            grey: self.background + self.spread * (12f64.sqrt() * (part(grey) - 0.5)) as f32,
            rectangle: shape >> 31 == 1,
        }
    }

    /// Draws a frame.
    #[inline(always)]
    fn draw<L: Lanes>(&self, monitor: &Monitor, frame: usize, pixels: &mut [u8]) {
        let mut canvas = Canvas::new(monitor.raster, &self.texture, self.relief);
        let backdrop = self.lay::<L>(monitor, frame, &mut canvas);
        canvas.finish::<L>(&backdrop, pixels);
    }

    /// Lists what is seen in some frames, and the backdrop of each.
    #[inline(always)]
    fn list<L: Lanes>(&self, monitor: &Monitor, frames: Range<usize>) -> (Lists, Vec<Leaf>) {
        let mut lists = Lists::new(monitor.raster);
        let mut backdrops = Vec::with_capacity(frames.len());
        for frame in frames {
            backdrops.push(self.lay::<L>(monitor, frame, &mut lists));
            lists.close_frame();
        }
        (lists, backdrops)
    }

    dispatched! {
        /// [`Self::draw`] with the fastest numbers that the processor has.
        fn draw_fast(&self, monitor: &Monitor, frame: usize, pixels: &mut [u8]) = draw
    }
    dispatched! {
        /// [`Self::list`] with the fastest numbers that the processor has.
        fn list_fast(&self, monitor: &Monitor, frames: Range<usize>) -> (Lists, Vec<Leaf>) = list
    }

    /// Lays everything that can be seen in a frame on a stack, the nearest first; then tells the backdrop.
    #[inline(always)]
    fn lay<L: Lanes>(&self, monitor: &Monitor, frame: usize, stack: &mut impl Stack) -> Leaf {
        let view = self.camera.view(monitor, frame, self.homes.len());
        let middle = [monitor.raster.width, monitor.raster.height].map(|side| (side as f32 - 1.0) / 2.0);
        for leaf in self.looming(monitor, frame, &view) {
            stack.lay::<L>(&leaf);
        }
        let per_deg = view.pixel.map(|degrees| 1.0 / degrees);
        // Half a pixel beyond the border of a circle, more where the distance grows more slowly along the longer axis.
        let fringe = view.pixel[0].max(view.pixel[1]) * 0.5 * (LONGEST * CORNER) as f32;
        let mut met = Met { count: 0, numbers: [0; CROWD], reaches: [0.0; CROWD], at: [[0.0; 2]; CROWD] };
        // Two runs, because the homes are dealt out from the middle on.
        let (dealt_last, dealt_first) = self.homes.split_at(view.deal);
        for (first, homes) in [(0, dealt_first), (dealt_first.len(), dealt_last)] {
            for (crowd, homes) in homes.chunks(CROWD).enumerate() {
                self.meet::<L>(&view, middle, first + crowd * CROWD, homes, &mut met);
                for seen in 0..met.count {
                    let [right, up] = met.at[seen];
                    let centre = [middle[0] + right * per_deg[0], middle[1] - up * per_deg[1]];
                    // Most of what is far away is hidden: nothing else need be known of it.
                    let reach = met.reaches[seen] + fringe;
                    if !stack.hides(&stack.grid().patch(centre, per_deg.map(|per_deg| reach * per_deg))) {
                        let look = &self.looks[met.numbers[seen] as usize];
                        stack.lay::<L>(&Leaf::new(look, centre, &view));
                    }
                }
            }
        }
        let plain =
            Look { axes: [1.0; 2], along: [1.0, 0.0], texture: view.texture, grey: self.background, rectangle: false };
        Leaf::new(&plain, middle, &view)
    }

    /// Finds which objects from this one on, with these homes, the camera sees.
    #[inline(always)]
    fn meet<L: Lanes>(&self, view: &View, middle: [f32; 2], first: usize, homes: &[[u32; 2]], met: &mut Met) {
        let path = &self.path[first..][..homes.len()];
        let mut at = [[0i32; CROWD]; 2];
        for (index, (home, path)) in homes.iter().zip(path).enumerate() {
            let moved = view.paths[usize::from(*path) % PATHS];
            at[0][index] = home[0].wrapping_add(moved[0]) as i32;
            at[1][index] = home[1].wrapping_add(moved[1]) as i32;
        }
        // What is beyond the last object is never seen.
        let mut reaches = [f32::NEG_INFINITY; CROWD];
        reaches[..homes.len()].copy_from_slice(&self.reaches[first..][..homes.len()]);
        let half_width = L::all((middle[0] + 1.0) * view.pixel[0]);
        let half_height = L::all((middle[1] + 1.0) * view.pixel[1]);
        let (cos, sin) = (L::all(view.turn[0]), L::all(view.turn[1]));
        let unit = L::all((self.side / 2f64.powi(32)) as f32);
        let (mut right, mut up) = ([0.0f32; CROWD], [0.0f32; CROWD]);
        let (mut list, mut count) = ([0u8; CROWD + STEP], 0);
        for step in 0..homes.len().div_ceil(STEP) {
            let (x, y) = (L::of_whole(at[0].as_chunks().0[step]) * unit, L::of_whole(at[1].as_chunks().0[step]) * unit);
            let (across, along) = (cos * x + sin * y, cos * y - sin * x);
            let reach = L::of(reaches.as_chunks().0[step]);
            let near = across.size().is_below(half_width + reach) & along.size().is_below(half_height + reach);
            right.as_chunks_mut().0[step] = across.values();
            up.as_chunks_mut().0[step] = along.values();
            let place = count.min(CROWD);
            for (index, lane) in list[place..place + STEP].iter_mut().zip(SET[usize::from(near)]) {
                *index = (step * STEP) as u8 + lane;
            }
            count += near.count_ones() as usize;
        }
        met.count = count.min(CROWD);
        for (seen, &index) in list[..met.count].iter().enumerate() {
            let index = usize::from(index) % CROWD;
            met.numbers[seen] = (first + index) as u32;
            met.reaches[seen] = reaches[index];
            met.at[seen] = [right[index], up[index]];
            // The looks lie far apart in memory: those of a crowd should come together.
            ask_for(&self.looks[first + index]);
        }
    }
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    relief: f32,
    tiles_across: u32,
    tiles: u32,
    texels: u32,
}

impl Drawing for World {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        self.draw_fast(screen.monitor(), frame, pixels);
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let monitor = screen.monitor();
        let (lists, backdrops) = self.list_fast(monitor, frames);
        let uniform = Uniform {
            relief: self.relief,
            tiles_across: lists.grid().across as u32,
            tiles: lists.grid().tiles() as u32,
            texels: TEXELS as u32,
        };
        Some(Painting {
            shader: &SHADER,
            tables: vec![
                Table::of(&[uniform]),
                Table::of(&backdrops),
                Table::of(&lists.leaves),
                Table::of(&lists.starts),
                Table::of(&lists.entries),
                Table::of(self.texture.texels()),
            ],
            passes: vec![Pass { entry: "draw", things: monitor.raster.pixels() }],
        })
    }
}
