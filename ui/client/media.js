// Addresses of pictures and frames, as `ui/media_routes.py` serves them. Pure.

// The longer side, in pixels, of what stands on a stage.
export const STAGE_SIDE = 1536;
// And of a frame in a filmstrip.
export const FRAME_SIDE = 192;

// A picture (`frame` null) or a frame of a clip (from 1), at most `side` pixels long.
export const stageUrl = (medium, frame, side = STAGE_SIDE) =>
  `media/${medium.sha256}/thumbnail?${frame === null ? '' : `frame=${frame}&`}side=${side}`;
