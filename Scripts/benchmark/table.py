"""The measurements as a table, for people."""

_COLUMNS = (
    ("who", "who"), ("", "_notes"), ("at s", "at_s"), ("events/cpu-s", "events_per_cpu_s"),
    ("events/s", "events_per_s"), ("lag", "lag"), ("lag min", "lag_min"), ("RSS MB", "rss_mb"),
    ("commit p50", "commit_p50_ms"),
    ("p99 ms", "commit_p99_ms"), ("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"),
    ("rows", "rows"), ("disk MB", "disk_mb"), ("written B/event", "disk_bytes_per_event"),
    ("first commit s", "first_commit_s"), ("at most", "first_commit_max_s"),
    ("pause s", "pause_s"), ("journals moved", "journal_partitions"), ("RSS bound", "rss_bound_mb"),
    ("", "memory"), ("pace", "pace"), ("back", "back"), ("backlog", "backlog"),
    ("ratio", "_ratio"))


def _cell(job: str, line: dict, name: str) -> str:
    if name == "_notes":
        words = [line["job"]] if line["job"] != job else []
        words += [f"{line['headers']} headers"] if line["headers"] else []
        words += ["bounded stores"] if line.get("bounded") else []
        words += [str(line[n]) for n in ("mode", "phase") if n in line]
        words += [f"{line['instances']} instances"] if "instances" in line else []
        words += ["(peers)"] if line.get("program") else []
        return " ".join(words)
    if name == "_ratio":
        return ", ".join(f"{value:.2f} × {who}" for who, value in line["ratio"].items())
    value = line.get(name)
    if value is None:
        return "–"
    return f"{value:,.0f}" if isinstance(value, (int, float)) and abs(value) >= 1000 else str(value)


def render(job: str, lines: list[dict]) -> str:
    columns = [c for c in _COLUMNS if c[1].startswith("_") or any(
        each.get(c[1]) is not None for each in lines)]
    rows = [[title for title, _ in columns]]
    rows += [[_cell(job, each, name) for _, name in columns] for each in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    left = {"who", "_notes", "_ratio"}
    text = [f"{job}"]
    for row in rows:
        cells = (c.ljust(w) if columns[i][1] in left else c.rjust(w)
                 for i, (c, w) in enumerate(zip(row, widths)))
        text.append("  " + "  ".join(cells).rstrip())
    return "\n".join(text)
