const code = (name) => import(new URL(`code/${name}`, document.baseURI).href);
Promise.all([code('queue.js'), code('start.js')])
  .then(([module, { start }]) => {
    module.mount(element);
    start();
  })
  .catch((error) => {
    console.error(error);
    element.querySelector('.bench-broken').hidden = false;
  });
