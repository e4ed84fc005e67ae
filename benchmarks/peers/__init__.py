"""Contenders in processes of their own: `python -m benchmarks.peers.<name>`, asked through a pipe.

Each is warm when it says `ready`; then every number n on its stdin is answered by the seconds that
n units of work took. So several frameworks, each alone in its process, can take turns.
"""
