// What the console's pages need beside unfold's own scripts. No page has a script in it (Content-Security-Policy).
"use strict";
// <form data-confirm="Sure?"> asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset ? event.target.dataset.confirm : "";
  if (question && !window.confirm(question)) event.preventDefault();
});
// <input type="search" data-narrows="id"> hides the rows of that table that do not have the text in one of their inputs.
document.addEventListener("input", (event) => {
  const table = event.target.dataset && event.target.dataset.narrows && document.getElementById(event.target.dataset.narrows);
  if (!table) return;
  const wanted = event.target.value.toLowerCase();
  for (const row of table.tBodies[0].rows) {
    const text = [...row.querySelectorAll("input[name]")].map((one) => one.value).join(" ") + row.textContent;
    row.hidden = Boolean(wanted) && !text.toLowerCase().includes(wanted);
  }
});
// What scrolls sideways can be reached with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const one of document.querySelectorAll(".hub-scroll, .hub-prose table, .hub-prose pre, .hub-block")) {
    if (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight) one.tabIndex = 0;
  }
});
