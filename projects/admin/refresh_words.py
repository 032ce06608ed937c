"""When a project is refreshed by itself: the fields of the form, in the words of its people."""

REFRESHING = (
    "A refresh makes the container anew: the workspace, Claude's configuration and the terminals' names stay, packages that were installed "
    "in it go. Nothing is refreshed while somebody works in it: it waits, and says why."
)
REFRESH_LABELS = {
    "pinned": "Never by itself",
    "refresh_mode": "What the hub does",
    "refresh_age_hours": "Age (hours)",
    "refresh_memory_percent": "Memory (percent)",
    "refresh_disk_percent": "Disk (percent)",
    "refresh_quiet_hours": "Quiet hours (UTC)",
    "refresh_hard_limit_hours": "Wait at most (hours)",
}
REFRESH_HELP = {
    "pinned": "The container stays until somebody refreshes it, whatever else stands here.",
    "refresh_mode": "act: refresh when it is due. suggest: only say so. off: look after nothing. Empty: as the hub has it.",
    "refresh_age_hours": "Due when the container is older, for example 72. Empty: as the hub has it.",
    "refresh_memory_percent": "Due when it twice in five minutes uses more of its limit, page cache not counted. Empty: as the hub has it.",
    "refresh_disk_percent": "Due when the Engine's disk is fuller and the container has written much of it. Empty: as the hub has it.",
    "refresh_quiet_hours": "When nobody works, as 22:00-06:00. What is due for age, memory or disk waits for them. Empty: at any time.",
    "refresh_hard_limit_hours": "So long after it fell due it is refreshed although somebody works in it. Empty: never.",
}
REFRESH = tuple(REFRESH_LABELS)
