// Start what the page has a place for.
import { startActions } from "./actions.js";
import { startBoard } from "./board.js";
import { startTimes } from "./times.js";

startTimes();
startActions();
const board = document.getElementById("board");
if (board) startBoard(board);
else document.addEventListener("taskflow:cancelled", () => location.reload());
