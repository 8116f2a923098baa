// Runs in the page once it is drawn: turns what a reader turns, and leaves what happened in the title.
const mistakes = [];
window.addEventListener("error", (event) => mistakes.push(String(event.message)));
window.addEventListener("unhandledrejection", (event) => mistakes.push(String(event.reason)));

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// A browser without a window may draw no frame, and Plotly does in one what it was asked for.
window.requestAnimationFrame = (drawn) => setTimeout(() => drawn(performance.now()), 16);
window.cancelAnimationFrame = clearTimeout;

async function until(changed) {
  for (let tries = 0; tries < 50 && !changed(); tries += 1) {
    await wait(100);
  }
}

function press(element, along = 0.5) {
  const box = element.getBoundingClientRect();
  const where = { clientX: box.left + along * box.width, clientY: box.top + box.height / 2, bubbles: true };
  for (const kind of ["mousedown", "mouseup", "click"]) {
    element.dispatchEvent(new MouseEvent(kind, { ...where, view: window }));
  }
}

async function probe() {
  const explorer = document.getElementById("explorer");
  const frozen = document.getElementById("frozen");
  const shown = (plot) => plot.data.map((trace) => trace.visible);
  const found = {
    pictures: [...document.images].map((image) => [image.alt, image.complete && image.naturalWidth > 0]),
    tables: document.querySelectorAll("table.dataTable tbody tr").length,
    mathematics: document.querySelectorAll("figcaption math").length,
    outside: performance.getEntriesByType("resource").map((one) => one.name)
      .filter((name) => !/^(data|blob|file):/.test(name)),
  };

  found.first = JSON.stringify(explorer.data[0].y);
  const density = () => JSON.stringify(explorer.data[0].y);
  press(explorer.querySelector(".slider-rail-touch-rect"), 0.98);
  await until(() => density() !== found.first);
  found.last = density();

  found.fieldsBefore = shown(explorer);
  press(explorer.querySelectorAll(".legendtoggle")[1]);
  await until(() => String(shown(explorer)) !== String(found.fieldsBefore));
  found.fieldsAfter = shown(explorer);

  found.pointBefore = shown(frozen);
  press(frozen.querySelector(".updatemenu-header"));
  await until(() => frozen.querySelector(".updatemenu-dropdown-button"));
  press([...frozen.querySelectorAll(".updatemenu-dropdown-button")].at(-1));
  await until(() => String(shown(frozen)) !== String(found.pointBefore));
  found.pointAfter = shown(frozen);

  const search = document.querySelector("#Statements input[type=search]");
  const rows = document.querySelectorAll("#claims tbody tr").length;
  search.value = "not decided";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  await until(() => document.querySelectorAll("#claims tbody tr").length < rows);
  found.undecided = [...document.querySelectorAll("#claims tbody tr")].map((row) => row.innerText);
  found.labels = [...document.querySelectorAll("text")].map((label) => label.textContent);
  found.alerts = window.alerts;
  found.mistakes = mistakes;
  const place = document.createElement("script");
  place.type = "application/json";
  place.id = "probe";
  place.textContent = JSON.stringify(found);
  document.body.append(place);
}

window.alerts = [];
window.alert = (text) => window.alerts.push(text);
window.addEventListener("load", async () => {
  await wait(3000);
  await probe().catch((error) => mistakes.push(String(error.stack)));
  if (!document.getElementById("probe")) {
    document.title = "PROBE FAILED " + mistakes.join("; ");
  }
});
