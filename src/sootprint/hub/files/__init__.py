"""Files that come and go: releases of all records, backups, and uploads of other tools' files."""
