// A clip that plays over its frame: a video where the browser has a player for it, else the moving picture itself.
import { make, say } from './dom.js';

const PLAY = 'Play the clip';

// `button` plays in `box` what `show(medium, time_s)` named last, from that second on, and stops it. Showing something
// else stops it too; null is no clip.
export function player(box, button) {
  let clip = null,
    from_s = 0;
  const playing = () => box.querySelector('.clip-player');

  function stop() {
    playing()?.remove();
    say(button, PLAY);
  }
  // GIF, animated WebP, PNG and AVIF are pictures to a browser: no player takes them.
  function showMoving() {
    const picture = make('img', 'clip-player', box);
    picture.alt = clip.name || 'The clip';
    picture.src = `media/${clip.sha256}`;
    picture.addEventListener('error', () => {
      say(button, 'This browser cannot play the clip');
      picture.remove();
    });
  }
  function play() {
    const video = make('video', 'clip-player', box);
    Object.assign(video, {
      src: `media/${clip.sha256}`,
      controls: true,
      muted: true,
      playsInline: true,
      autoplay: true,
    });
    video.currentTime = from_s;
    video.addEventListener('error', () => {
      if (video.isConnected) showMoving();
      video.remove();
    });
    say(button, 'Back to the frames');
  }
  button.addEventListener('click', () => (playing() ? stop() : play()));

  return {
    show(medium, time_s = 0) {
      stop();
      clip = medium;
      from_s = time_s;
      button.hidden = !medium;
    },
    stop,
  };
}
