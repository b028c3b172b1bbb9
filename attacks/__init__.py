"""Attacks on marked images: the same objects serve training and benchmark."""

from __future__ import annotations

from attacks.affine import Affine
from attacks.aspect import Aspect
from attacks.autoencoder import Autoencoder
from attacks.averaging import Averaging
from attacks.base import ATTACKS, Attack, Facts, register
from attacks.bilateral_denoise import BilateralDenoise
from attacks.border import Border
from attacks.box_blur import BoxBlur
from attacks.brightness import Brightness
from attacks.chain import Chain
from attacks.codecs import Avif, RealJpeg, WebP
from attacks.collage import Collage
from attacks.colour_jitter import ColourJitter
from attacks.contrast import Contrast
from attacks.copy import Copy
from attacks.crop import Crop
from attacks.cut_out import CutOut
from attacks.defocus_blur import DefocusBlur
from attacks.diffusion_regeneration import DiffusionRegeneration
from attacks.double_jpeg import DoubleJpeg
from attacks.elastic import Elastic
from attacks.equalise import Equalise
from attacks.flip import Flip
from attacks.gamma import Gamma
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.gradient_attack import GradientAttack
from attacks.greyscale import Greyscale
from attacks.hue import Hue
from attacks.jpeg import Jpeg
from attacks.jpeg2000 import Jpeg2000
from attacks.knowledge import InformedAttack, Knowledge, KnowledgeMissing
from attacks.long_side_cap import LongSideCap
from attacks.median_blur import MedianBlur
from attacks.meme_frame import MemeFrame
from attacks.messenger import Messenger
from attacks.moire import Moire
from attacks.motion_blur import MotionBlur
from attacks.non_local_means import NonLocalMeans
from attacks.overlay_logo import OverlayLogo
from attacks.overlay_text import OverlayText
from attacks.overwrite import Overwrite
from attacks.pad import Pad
from attacks.palette_png import PalettePng
from attacks.perspective import Perspective
from attacks.poisson_noise import PoissonNoise
from attacks.posterise import Posterise
from attacks.print_scan import PrintScan
from attacks.quarter_turn import QuarterTurn
from attacks.resize import Resize
from attacks.rotate import Rotate
from attacks.rounding import Rounding
from attacks.salt_pepper_noise import SaltPepperNoise
from attacks.saturation import Saturation
from attacks.screen_camera import ScreenCamera
from attacks.screenshot import Screenshot
from attacks.sharpen import Sharpen
from attacks.shear import Shear
from attacks.shift import Shift
from attacks.short_side import ShortSide
from attacks.social import Social
from attacks.speckle_noise import SpeckleNoise
from attacks.straighten import Straighten
from attacks.total_variation_denoise import TotalVariationDenoise
from attacks.vae_regeneration import VaeRegeneration
from attacks.wavelet_denoise import WaveletDenoise
from attacks.white_balance import WhiteBalance

__all__ = [
    "ATTACKS",
    "Affine",
    "Aspect",
    "Attack",
    "Autoencoder",
    "Averaging",
    "Avif",
    "BilateralDenoise",
    "Border",
    "BoxBlur",
    "Brightness",
    "Chain",
    "Collage",
    "ColourJitter",
    "Contrast",
    "Copy",
    "Crop",
    "CutOut",
    "DefocusBlur",
    "DiffusionRegeneration",
    "DoubleJpeg",
    "Elastic",
    "Equalise",
    "Facts",
    "Flip",
    "Gamma",
    "GaussianBlur",
    "GaussianNoise",
    "GradientAttack",
    "Greyscale",
    "Hue",
    "InformedAttack",
    "Jpeg",
    "Jpeg2000",
    "Knowledge",
    "KnowledgeMissing",
    "LongSideCap",
    "MedianBlur",
    "MemeFrame",
    "Messenger",
    "Moire",
    "MotionBlur",
    "NonLocalMeans",
    "OverlayLogo",
    "OverlayText",
    "Overwrite",
    "Pad",
    "PalettePng",
    "Perspective",
    "PoissonNoise",
    "Posterise",
    "PrintScan",
    "QuarterTurn",
    "RealJpeg",
    "Resize",
    "Rotate",
    "Rounding",
    "SaltPepperNoise",
    "Saturation",
    "ScreenCamera",
    "Screenshot",
    "Sharpen",
    "Shear",
    "Shift",
    "ShortSide",
    "Social",
    "SpeckleNoise",
    "Straighten",
    "TotalVariationDenoise",
    "VaeRegeneration",
    "WaveletDenoise",
    "WebP",
    "WhiteBalance",
    "register",
]
