// How high rows of tiles may be, so that all of them are seen at once: as large as the window lets.

const GAP = 8;
const STRETCH = 1.9; // a tile grows so much wider at most, as the style sheet has it
const [LEAST, MOST, STEP] = [120, 1200, 4];
const BELOW = 14;

// The height of all rows, where a row begins with `row` pixels and is then stretched to the width.
function height(aspects, width, row) {
  let total = 0;
  let sum = 0;
  let count = 0;
  const close = (isLast) => {
    const filled = (width - GAP * (count - 1)) / sum;
    total += (isLast ? row : Math.min(filled, row * STRETCH)) + GAP;
    sum = count = 0;
  };
  for (const aspect of aspects) {
    if (count && (sum + aspect) * row + GAP * count > width) close(false);
    sum += aspect;
    count += 1;
  }
  close(true);
  return total;
}

export function fit(section) {
  const aspects = [...section.children].map((each) => Number(each.style.getPropertyValue("--aspect")) || 16 / 9);
  if (!aspects.length) return;
  const width = section.clientWidth;
  const room = innerHeight - section.getBoundingClientRect().top - scrollY - BELOW;
  const widest = Math.max(...aspects);
  let row = MOST;
  while (row > LEAST && (height(aspects, width, row) > room || widest * row > width)) row -= STEP;
  // Where not even small ones fit, the wall is scrolled: then they are as large as usual.
  if (row <= LEAST) row = Math.max(LEAST, Math.min(340, width * 0.17));
  section.style.setProperty("--fit", `${innerWidth <= 640 ? 210 : row}px`);
}
