// Runs before Django's own (deferred) script of the side bar: closed at first where it would leave lists too little room.
"use strict";

const SIDE_BAR = "django.admin.navSidebarIsOpen";
if (localStorage.getItem(SIDE_BAR) === null && innerWidth < 1500) localStorage.setItem(SIDE_BAR, "false");
