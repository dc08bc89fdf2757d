//! Pictures and animations that the `image` crate decodes: PNG and APNG, GIF, WebP. Where a WebP composes its pictures
//! onto each other, that decoder rounds down: they are one level too dark.

use std::io::{BufRead, Seek};

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::ClipError;
use super::pictures::{LARGEST_PICTURE, Pictures, Pixels};

/// What an animation without a delay means in all browsers, seconds.
const DEFAULT_DELAY: f64 = 0.1;

/// Bounds on what the decoders may take.
pub(super) fn limits() -> image::Limits {
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(1 << 15);
    limits.max_image_height = Some(1 << 15);
    // Four bytes a pixel, and a second picture to compose the first onto.
    limits.max_alloc = Some(8 * LARGEST_PICTURE);
    limits
}

fn damaged(pictures: &Pictures, kind: &str, error: &ImageError) -> ClipError {
    pictures.not_a_clip(format!("the {kind} is damaged: {error}"))
}

/// Asks a decoder for its size and gives it the limits.
fn check(decoder: &mut impl ImageDecoder, kind: &str, pictures: &Pictures) -> Result<(), ClipError> {
    let (width, height) = decoder.dimensions();
    pictures.check_size(1, u64::from(height), u64::from(width))?;
    decoder.set_limits(limits()).map_err(|error| damaged(pictures, kind, &error))
}

pub(super) fn read_gif<R: BufRead + Seek>(file: R, pictures: &mut Pictures) -> Result<(), ClipError> {
    let mut decoder = GifDecoder::new(file).map_err(|error| damaged(pictures, "GIF", &error))?;
    check(&mut decoder, "GIF", pictures)?;
    add_frames(decoder.into_frames(), "GIF", pictures)
}

/// An animated PNG, or one picture.
pub(super) fn read_png<R: BufRead + Seek>(file: R, pictures: &mut Pictures) -> Result<(), ClipError> {
    let failed = |pictures: &Pictures, error| damaged(pictures, "PNG", &error);
    let mut decoder = PngDecoder::with_limits(file, limits()).map_err(|error| failed(pictures, error))?;
    check(&mut decoder, "PNG", pictures)?;
    if decoder.is_apng().map_err(|error| failed(pictures, error))? {
        let animation = decoder.apng().map_err(|error| failed(pictures, error))?;
        return add_frames(animation.into_frames(), "PNG", pictures);
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| failed(pictures, error))?;
    add_still(picture, pictures)
}

/// An animated WebP, or one picture.
pub(super) fn read_webp<R: BufRead + Seek>(file: R, pictures: &mut Pictures) -> Result<(), ClipError> {
    let failed = |pictures: &Pictures, error| damaged(pictures, "WebP", &error);
    let mut decoder = WebPDecoder::new(file).map_err(|error| failed(pictures, error))?;
    check(&mut decoder, "WebP", pictures)?;
    if decoder.has_animation() {
        return add_frames(decoder.into_frames(), "WebP", pictures);
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| failed(pictures, error))?;
    add_still(picture, pictures)
}

fn add_frames(frames: Frames<'_>, kind: &str, pictures: &mut Pictures) -> Result<(), ClipError> {
    for frame in frames {
        let frame = frame.map_err(|error| damaged(pictures, kind, &error))?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let delay = f64::from(numerator) / f64::from(denominator.max(1)) / 1000.0;
        let picture = frame.into_buffer();
        let (width, height) = picture.dimensions();
        // What is transparent has nothing under it, and counts as black.
        let colours: Vec<u8> =
            picture.pixels().flat_map(|p| if p.0[3] == 0 { [0; 3] } else { [p.0[0], p.0[1], p.0[2]] }).collect();
        let delay = if delay > 0.0 { delay } else { DEFAULT_DELAY };
        pictures.add(height as usize, width as usize, Pixels::Colour(&colours), Some(delay))?;
    }
    Ok(())
}

/// Adds one picture; 16 bits become 8 over the whole range.
pub(super) fn add_still(picture: DynamicImage, pictures: &mut Pictures) -> Result<(), ClipError> {
    let (height, width) = (picture.height() as usize, picture.width() as usize);
    match picture {
        DynamicImage::ImageLuma8(grey) => pictures.add(height, width, Pixels::Grey(grey.as_raw()), None),
        colour => pictures.add(height, width, Pixels::Colour(colour.into_rgb8().as_raw()), None),
    }
}

/// One picture of a file of a known format: the first.
pub(super) fn read_still<R: BufRead + Seek>(file: R, format: ImageFormat) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::with_format(file, format);
    reader.limits(limits());
    reader.decode()
}
