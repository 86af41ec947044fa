"""Every error that `corpus` raises on purpose.

    CorpusError                exit code 1
    ├── SettingsError                    2   an unknown key, a wrong value
    ├── InputError                       1   a file that a person named is missing, empty or of another kind
    │   └── AnnotationError              1   a line of annotations.csv that says nothing we know
    ├── WorkspaceError                   1   a workspace that lacks a stage, or whose files were edited
    │   └── LockedError                  4   another process works on it
    ├── StageError                       1   a stage that could not finish: a failed task, a full disk
    │   └── TrainingError                1   a model that is not finite, or no better than chance
    └── AnnotationWanted                 3   not a failure: the round waits for a person

A message names the object, the fact and what to do next. A bad page is never an
exception: it is a counted row with a reason.
"""


class CorpusError(Exception):
    """Base of all; `exit_code` is what the command line returns."""

    exit_code = 1


class SettingsError(CorpusError):
    exit_code = 2


class InputError(CorpusError):
    pass


class AnnotationError(InputError):
    pass


class WorkspaceError(CorpusError):
    pass


class LockedError(WorkspaceError):
    exit_code = 4


class StageError(CorpusError):
    pass


class TrainingError(StageError):
    pass


class AnnotationWanted(CorpusError):
    exit_code = 3
