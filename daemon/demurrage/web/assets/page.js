// Asks /v1/status every few seconds and draws what it says. Text is set as text, never as HTML.
"use strict";

const PACE = 5000;
const KEY = "demurrage-admin-token";
const VERDICTS = ["orphan", "released", "referenced", "explicit", "protected", "pending",
  "unproven", "unknown"];
const TOTALS = [["created", "created"], ["referenced", "referenced"], ["orphans", "orphans"],
  ["swept", "swept"], ["swept_before_floor", "swept before the floor"],
  ["observed", "would have been swept"], ["refused", "deletes refused"],
  ["failed", "deletes failed"]];
const number = new Intl.NumberFormat();
const byId = (id) => document.getElementById(id);

let timer = 0;

function make(tag, text, name) {
  const element = document.createElement(tag);
  element.textContent = text ?? "";
  if (name) element.className = name;
  return element;
}

// What stands between backticks is a command.
function prose(text) {
  const whole = make("span");
  text.split("`").forEach((part, at) => whole.append(at % 2 ? make("code", part) : part));
  return whole;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function figure(list, label, value, name, none) {
  const row = make("div", "", name);
  row.append(make("dt", label), make("dd", value, none ? "none" : ""));
  list.append(row);
}

function badges(parent, target) {
  const effective = target.effective_mode ?? target.mode;
  const held = effective === "observe" ? ", held: only observes" : ", sweep held";
  parent.append(make("span", target.mode + (effective === target.mode ? "" : held),
    effective === target.mode ? effective : "trouble"));
  if (target.coverage) parent.append(make("span", `${target.coverage.effective} coverage`));
  const ready = target.cycle && target.cycle.complete;
  if (!ready) parent.append(make("span", target.cycle ? "cycle not complete" : "no cycle yet",
    target.cycle ? "trouble" : ""));
}

function freshness(target) {
  if (target.turned_ago === null) return "The first cycle has not ended yet.";
  const parts = [`Last cycle ${duration(target.turned_ago)} ago`];
  if (target.evidence && target.evidence.watermark !== null) {
    parts.push(`log complete up to ${new Date(target.evidence.watermark * 1000)
      .toLocaleTimeString()}`);
  }
  if (target.budget) {
    parts.push(`${target.budget.used_last_minute} of ${Math.floor(target.budget.effective)} ` +
      "calls in the last minute");
  }
  return `${parts.join(", ")}.`;
}

// What people have said of an incident, since when it stands, and what it costs.
function life(incident) {
  const now = Date.now() / 1000;
  const parts = [`No. ${incident.id}, ${incident.severity}`,
    `for ${duration(Math.max(0, now - incident.opened_at))}`];
  const usd = incident.estimated_usd_per_hour;
  if (usd !== null) parts.push(`$${usd.toFixed(2)} an hour, estimated`);
  if (incident.acknowledged_at !== null) {
    parts.push(`acknowledged by ${incident.acknowledged_by}`);
  }
  if (incident.silenced_until !== null && incident.silenced_until > now) {
    parts.push(`silent until ${new Date(incident.silenced_until * 1000).toLocaleTimeString()}`);
  }
  return parts.join(", ");
}

function causes(found) {
  return found.map((each) => `${each.dimension} ${each.value}: ` +
    `${Math.round(each.share * 100)} %`).join(", ");
}

function incidents(section, found) {
  section.hidden = found.length === 0;
  for (const each of found) {
    const item = make("li", "", each.severity);
    const name = make("strong", each.kind.replaceAll("_", " "));
    if (each.scope) name.append(" ", make("code", each.scope));
    item.append(name, prose(each.summary));
    // Without an id it is seen, and has not lasted for long enough to tell anybody.
    if (each.id !== null) {
      item.append(make("p", causes(each.causes), "causes"), prose(each.next_step),
        make("p", life(each), "life"));
    }
    section.querySelector("ul").append(item);
  }
}

function holds(section, found) {
  section.hidden = found.length === 0;
  for (const each of found) {
    const item = make("li", "", each.resumed_until ? "warning" : "page");
    item.append(make("strong", `${each.rail.replaceAll("_", " ")}: ` +
      `${number.format(each.containers)} containers`), prose(`${each.summary}. `));
    if (each.resumed_until) {
      item.append(make("span", "Resumed until " +
        `${new Date(each.resumed_until * 1000).toLocaleTimeString()}.`));
    } else {
      item.append(make("code", `demurrage resume ${each.id}`));
    }
    section.querySelector("ul").append(item);
  }
}

function verdicts(section, counts, due) {
  section.hidden = !counts;
  if (!counts) return;
  const list = section.querySelector("dl");
  const bar = section.querySelector(".bar");
  for (const kind of VERDICTS) {
    const count = counts[kind] ?? 0;
    figure(list, kind, number.format(count), kind, count === 0);
    if (count > 0) {
      const part = make("i", "", kind);
      part.style.flexGrow = count;
      bar.append(part);
    }
  }
  figure(list, "due now", number.format(due ?? 0), "", !due);
}

function draw(target) {
  const card = byId("target").content.cloneNode(true);
  const part = (name) => card.querySelector(name);
  part("h2").textContent = target.target;
  badges(part(".badges"), target);
  part(".fresh").textContent = freshness(target);
  incidents(part(".incidents"), target.incidents ?? []);
  holds(part(".holds"), target.holds ?? []);
  verdicts(part(".verdicts"), target.verdicts, target.due);
  const totals = target.totals;
  part(".totals").hidden = part(".money").hidden = !totals;
  if (totals) {
    for (const [key, label] of TOTALS) {
      figure(part(".totals dl"), label, number.format(totals[key]), "", totals[key] === 0);
    }
    figure(part(".money dl"), "saved by sweeping", totals.saved.text);
    figure(part(".money dl"), "would have been saved", totals.would_have_saved.text);
  }
  return card;
}

function say(text, trouble) {
  byId("daemon").textContent = text;
  byId("daemon").classList.toggle("trouble", trouble);
  byId("targets").classList.toggle("stale", trouble);
}

function signIn(refused) {
  byId("sign-in").hidden = false;
  byId("refused").hidden = !refused;
  byId("targets").replaceChildren();
  say("The daemon asks for its admin token.", false);
  byId("token").focus();
}

async function look() {
  clearTimeout(timer);
  const token = sessionStorage.getItem(KEY);
  try {
    const answer = await fetch("/v1/status", {
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
    if (answer.status === 401) {
      sessionStorage.removeItem(KEY);
      signIn(token !== null);
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const status = await answer.json();
    byId("sign-in").hidden = true;
    byId("targets").replaceChildren(...status.targets.map(draw));
    const faults = [status.log.reachable ? "" : "the event log cannot be read",
      status.store.reachable ? "" : "the store cannot be read"].filter(Boolean);
    const well = `Version ${status.version}, ${status.mode} mode, up ${duration(status.uptime)}`;
    say(faults.length ? `${well}; ${faults.join(", ")}.` : `${well}.`, false);
  } catch {
    say("The daemon does not answer; this is what it said last.", true);
  }
  timer = setTimeout(look, PACE);
}

byId("sign-in").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  sessionStorage.setItem(KEY, byId("token").value);
  byId("token").value = "";
  look();
});
look();
