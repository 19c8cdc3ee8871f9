import { isForUpload } from '../client/clipboard.js';
import { say, tell } from '../client/dom.js';
import { get } from '../client/server.js';

export function mount({ element, props, trigger, watch }) {
  const root = element.querySelector('.drop');
  const input = root.querySelector('.drop-input');
  const progress = root.querySelector('.drop-progress');
  const error = root.querySelector('.drop-error');
  let running = 0;

  function render() {
    root.classList.toggle('is-compact', !!props.value?.is_compact);
  }

  // Who will see what is brought, as the server says it of this person.
  get('me')
    .then((me) => tell(root.querySelector('.drop-agreed'), me.agreed))
    .catch(() => {});

  function send(file, onShare) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', 'media');
      request.setRequestHeader('X-File-Name', encodeURIComponent(file.name || 'pasted'));
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      request.upload.addEventListener('progress', (event) => {
        if (event.lengthComputable) onShare(event.loaded / event.total);
      });
      request.addEventListener('load', () => {
        let answer = {};
        try {
          answer = JSON.parse(request.responseText);
        } catch {
          /* a proxy's own page */
        }
        if (request.status === 200) resolve(answer);
        else reject(new Error(answer.error || `The upload was refused (${request.status}).`));
      });
      request.addEventListener('error', () =>
        reject(new Error('The connection was lost while sending; please try again.')),
      );
      request.send(file);
    });
  }

  async function takeAll(files) {
    files = [...files];
    if (!files.length) return;
    const turn = ++running;
    say(error, '');
    if (files.length > props.max_files) {
      error.textContent = `At most ${props.max_files} files can be asked about at once; these are ${files.length}.`;
      return;
    }
    const large = files.find((file) => file.size > props.max_mb * 1e6);
    if (large) {
      say(error, `“${large.name}” is larger than ${props.max_mb} MB, which is the most that is taken here.`);
      return;
    }
    root.classList.add('is-busy');
    const taken = [];
    try {
      for (const file of files) {
        say(progress, `Sending ${file.name} …`);
        taken.push(
          await send(file, (share) => {
            progress.textContent =
              share < 1 ? `Sending ${file.name} … ${Math.floor(100 * share)}%` : `Looking at ${file.name} …`;
          }),
        );
      }
      if (turn !== running) return;
      props.value = { ...props.value, media: taken, turn };
      trigger('take');
    } catch (problem) {
      if (turn === running)
        say(error, (taken.length || files.length > 1 ? `${files[taken.length].name}: ` : '') + problem.message);
    } finally {
      if (turn === running) {
        say(progress, '');
        root.classList.remove('is-busy');
      }
      input.value = '';
    }
  }

  input.addEventListener('change', () => takeAll(input.files));
  let depth = 0;
  const over = (isOver) => root.classList.toggle('is-over', isOver);
  const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
  document.addEventListener('dragenter', (event) => {
    if (hasFiles(event)) {
      depth += 1;
      over(true);
    }
  });
  document.addEventListener('dragleave', (event) => {
    if (hasFiles(event)) {
      depth = Math.max(0, depth - 1);
      if (!depth) over(false);
    }
  });
  document.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    takeAll(event.dataTransfer.files);
  });
  document.addEventListener('paste', (event) => {
    const isField = event.target.closest?.('input, textarea, [contenteditable]');
    if (event.clipboardData && isForUpload(event.clipboardData, !!isField)) {
      event.preventDefault();
      takeAll(event.clipboardData.files);
    }
  });
  watch('value', () => {
    say(error, '');
    render();
  });
  render();
}
