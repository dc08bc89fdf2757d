//! What is drawn by chance: the second counters of the random words; the first counts objects, paths or scenes.

/// Where an object is, its size and its path.
pub(super) const PLACE: u32 = 0;
/// Its angle, shape and grey level.
pub(super) const LOOK: u32 = 1;
/// Its cut-out of the texture.
pub(super) const SURFACE: u32 = 2;
/// The texture.
pub(super) const TEXTURE: u32 = 3;
/// Where the camera starts in a scene.
pub(super) const SCENE: u32 = 4;
/// When and where an object comes close.
pub(super) const LOOMING: u32 = 5;
/// The look of an object that comes close.
pub(super) const LOOMING_LOOK: u32 = 6;
/// Its cut-out of the texture.
pub(super) const LOOMING_SURFACE: u32 = 7;
/// The camera's zoom.
pub(super) const ZOOM: u32 = 15;
/// Each sinusoid of the camera and of the paths has its own from here on.
pub(super) const MOTION: u32 = 16;

/// From a random word to 0..1.
pub(super) fn part(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 2f64.powi(32)
}
