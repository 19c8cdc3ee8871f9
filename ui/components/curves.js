import { each, make, put, say, svg, tone } from '../client/dom.js';
import { extent, linePath, nearest, niceStep, smoothed } from '../client/scale.js';
import { figureOf } from '../client/words.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.curves');
  const charts = root.querySelector('.curves-charts');
  const table = root.querySelector('.curves-table');
  const HEIGHT = 190,
    LEFT = 40,
    RIGHT = 12,
    TOP = 10,
    BOTTOM = 22,
    SMOOTH_FROM = 60,
    TABLE_ROWS = 40;
  let pointed = null;

  function chart() {
    const figure = make('figure', 'curves-chart', charts);
    const head = make('figcaption', 'curves-head', figure);
    make('span', 'curves-label', head);
    make('span', 'curves-value', head);
    const plot = svg('svg', { class: 'curves-plot' }, figure);
    put(plot, { role: 'img', height: HEIGHT });
    for (const name of ['grid', 'axis']) svg('g', { class: `curves-${name}` }, plot);
    svg('line', { class: 'curves-threshold' }, plot);
    svg('g', { class: 'curves-others' }, plot);
    for (const name of ['raw', 'mean']) svg('path', { class: `curves-${name}` }, plot);
    svg('line', { class: 'curves-rule' }, plot);
    svg('circle', { class: 'curves-dot' }, plot).setAttribute('r', 3.5);
    plot.addEventListener('pointermove', (event) => point(event, plot));
    plot.addEventListener('pointerleave', () => {
      pointed = null;
      render();
    });
    return figure;
  }

  function point(event, plot) {
    const value = props.value,
      width = plot.clientWidth,
      last = Math.max(1, lastStep(value));
    const x = event.clientX - plot.getBoundingClientRect().left;
    pointed = Math.round(Math.min(1, Math.max(0, (x - LEFT) / (width - LEFT - RIGHT))) * last);
    render();
  }

  const lastStep = (value) =>
    Math.max(
      value.steps || 0,
      ...value.series
        .flatMap((one) => [one.points, ...one.others.map((other) => other.points)])
        .map((points) => (points.length ? points[points.length - 1][0] : 0)),
    );
  function ticks(group, entries) {
    while (group.children.length > entries.length) group.lastChild.remove();
    entries.forEach((entry, index) => {
      const node = group.children[index] || svg(entry.tag, {}, group);
      put(node, entry.attributes);
      if (entry.text !== undefined) say(node, entry.text);
    });
  }

  function drawChart(figure, series, last) {
    const plot = figure.querySelector('svg'),
      width = plot.clientWidth || 320,
      points = series.points;
    const part = (name) => figure.querySelector(`.curves-${name}`);
    const values = [points, ...series.others.map((other) => other.points)]
      .flat()
      .map((one) => one[1])
      .filter((value) => value !== null);
    const { bottom, top, gap } = extent(values, series.unit === 'share');
    const x = (step) => LEFT + (width - LEFT - RIGHT) * (last ? step / last : 0);
    const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (value - bottom)) / (top - bottom);
    plot.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    const rows = Array.from({ length: Math.round((top - bottom) / gap) + 1 }, (_, k) => bottom + k * gap);
    const stride = Math.max(1, Math.round(niceStep(last, Math.max(2, Math.min(6, width / 70)), [1, 2, 5, 10])));
    const columns = Array.from({ length: Math.floor(last / stride) + 1 }, (_, k) => k * stride);
    ticks(
      part('grid'),
      rows.map((row) => ({ tag: 'line', attributes: { x1: LEFT, x2: width - RIGHT, y1: y(row), y2: y(row) } })),
    );
    const name = (row) => (series.unit === 'share' ? `${Math.round(100 * row)}%` : String(Number(row.toPrecision(4))));
    ticks(part('axis'), [
      ...rows.map((row) => ({
        tag: 'text',
        text: name(row),
        attributes: { x: LEFT - 7, y: y(row) + 3.5, 'text-anchor': 'end' },
      })),
      ...columns.map((step) => ({
        tag: 'text',
        text: String(step),
        attributes: { x: x(step), y: HEIGHT - 6, 'text-anchor': x(step) > width - 26 ? 'end' : 'middle' },
      })),
    ]);
    each(
      part('others'),
      series.others,
      () => svg('path', { class: 'curves-other' }),
      (path, other) => {
        path.style.stroke = tone(other.tone);
        path.setAttribute(
          'd',
          linePath(other.points.length > SMOOTH_FROM ? smoothed(other.points) : other.points, x, y),
        );
      },
    );
    const isLong = points.length > SMOOTH_FROM;
    const smooth = isLong ? smoothed(points) : points;
    part('raw').setAttribute('d', isLong ? linePath(points, x, y) : '');
    part('mean').setAttribute('d', linePath(smooth, x, y));
    const chosen = pointed === null ? smooth[smooth.length - 1] : nearest(points, pointed);
    part('dot').style.display = chosen[1] === null ? 'none' : '';
    put(part('dot'), { cx: x(chosen[0]), cy: y(chosen[1] === null ? 0 : chosen[1]) });
    const hasThreshold = typeof series.threshold === 'number';
    part('threshold').style.display = hasThreshold ? '' : 'none';
    if (hasThreshold)
      put(part('threshold'), { x1: LEFT, x2: width - RIGHT, y1: y(series.threshold), y2: y(series.threshold) });
    part('rule').style.display = pointed === null ? 'none' : '';
    put(part('rule'), { x1: x(chosen[0]), x2: x(chosen[0]), y1: TOP, y2: HEIGHT - BOTTOM });
    const now = pointed === null ? points[points.length - 1] : chosen;
    say(part('label'), series.label);
    say(part('value'), (pointed === null ? '' : `step ${now[0]}  `) + figureOf(now[1], series.unit));
    const first = points[0],
      end = points[points.length - 1];
    const threshold = hasThreshold ? ` The threshold is ${figureOf(series.threshold, series.unit)}.` : '';
    const [from, to] = [first, end].map(([step, value]) => `${figureOf(value, series.unit)} in step ${step}`);
    plot.setAttribute('aria-label', `${series.label}: ${from}, ${to}.${threshold}`);
  }

  function fill(series) {
    const head = table.querySelector('thead'),
      body = table.querySelector('tbody');
    const steps = [...new Set(series.flatMap((one) => one.points.map((entry) => entry[0])))].sort((a, b) => a - b);
    const every = Math.ceil(steps.length / TABLE_ROWS) || 1;
    const rows = steps.filter((_, index) => index % every === 0 || index === steps.length - 1);
    const cells = (parent, texts, tag) => {
      parent.replaceChildren(
        ...texts.map((text, index) => {
          const cell = document.createElement(index && tag === 'td' ? 'td' : 'th');
          cell.scope = tag === 'th' ? 'col' : 'row';
          say(cell, text);
          return cell;
        }),
      );
    };
    if (!head.firstChild) head.appendChild(document.createElement('tr'));
    cells(head.firstChild, ['Step', ...series.map((one) => one.label)], 'th');
    while (body.children.length > rows.length) body.lastChild.remove();
    rows.forEach((step, index) => {
      const row = body.children[index] || body.appendChild(document.createElement('tr'));
      cells(
        row,
        [
          String(step),
          ...series.map((one) => {
            const entry = one.points.find((e) => e[0] === step);
            return entry ? figureOf(entry[1], one.unit) : '';
          }),
        ],
        'td',
      );
    });
  }

  // Which line is which run, and in what their settings differ.
  function tellOthers({ names, differences }) {
    const others = root.querySelector('.curves-beside');
    others.hidden = names.length < 2;
    each(
      others.querySelector('.curves-names'),
      names.length < 2 ? [] : names,
      () => make('li'),
      (item, name, index) => {
        item.style.setProperty('--line', index ? tone(index) : 'var(--curve)');
        say(item, name);
      },
    );
    const rows = others.querySelector('.curves-differences');
    rows.replaceChildren(
      ...differences.map(({ name, values }) => {
        const row = make('tr');
        make('th', '', row, name).scope = 'row';
        for (const value of values) make('td', '', row, value);
        return row;
      }),
    );
    rows.hidden = !differences.length;
  }

  function render() {
    const value = props.value || { series: [], steps: 0, names: [], differences: [] };
    const series = value.series.filter((one) => one.points.length);
    const empty = root.querySelector('.curves-empty');
    say(empty, series.length ? '' : value.empty || '');
    empty.hidden = !empty.textContent;
    charts.hidden = table.hidden = !series.length;
    while (charts.children.length > series.length) charts.lastChild.remove();
    tellOthers(value);
    const last = series.length ? lastStep(value) : 0;
    series.forEach((one, index) => drawChart(charts.children[index] || chart(), one, last));
    if (series.length && table.open) fill(series);
  }
  table.addEventListener('toggle', render);
  new ResizeObserver(render).observe(charts);
  watch('value', () => {
    pointed = null;
    render();
  });
  render();
}
