"""How a change goes live: who proposed it, who signed, when it was let out and taken back; all of it evidence."""
