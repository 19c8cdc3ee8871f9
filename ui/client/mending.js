// Pictures that a dropped line broke, asked for again when it is back. A browser never does so by itself.
const AGAIN_MS = 3000;

export function mendPictures() {
  const broken = new Set();
  function again() {
    for (const picture of broken) {
      if (!picture.isConnected || picture.naturalWidth) broken.delete(picture);
      else picture.src = picture.getAttribute('src');
    }
  }
  document.addEventListener(
    'error',
    ({ target }) => {
      // What the server refuses would be refused again.
      if (target.matches?.('img') && !navigator.onLine) broken.add(target);
    },
    true,
  );
  window.addEventListener('online', () => {
    again();
    // The line may say that it is there before it is.
    setTimeout(again, AGAIN_MS);
  });
}
