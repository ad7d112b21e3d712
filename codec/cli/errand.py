"""One job in a worker: its outcome or error, and its warnings, as they can be sent back."""

import pickle
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import MediaWarning
from ..progress import quiet
from ..workers.tasks import TaskError
from .console import JsonValue
from .jobs import Job
from .run import Outcome, Result, Work, about


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job came to. trace: where an error was raised. output: the file, of workers far away."""

    result: Result
    trace: str = ""
    warnings: tuple[tuple[str, type[Warning]], ...] = ()
    output: bytes | None = None


def do_here(work: Work, job: Job) -> Answer:
    """Do a job whose files this process can open."""
    trace = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", MediaWarning)
        try:
            result: Result = work(job, quiet)
        except Exception as error:
            result, trace = portable(error), traceback.format_exc()
    said = tuple(
        (
            about(job, str(each.message)) if issubclass(each.category, MediaWarning) else str(each.message),
            each.category,
        )
        for each in caught
        if issubclass(each.category, UserWarning)
    )
    return Answer(result, trace, said)


def do_apart(work: Work, job: Job, source: bytes) -> Answer:
    """Do a job whose files are on another machine: with copies that messages name as the user does."""
    with TemporaryDirectory(prefix="linnet-") as folder:
        copy, made = Path(folder, "in", Path(job.source).name), Path(folder, "out", Path(job.dest).name)
        for path in (copy, made):
            path.parent.mkdir()
        copy.write_bytes(source)
        answer = do_here(work, Job(str(copy), str(made)))
        output = made.read_bytes() if made.is_file() else None
    names = {str(copy): job.source, str(made): job.dest}
    said = tuple((_renamed_text(text, names), category) for text, category in answer.warnings)
    return replace(answer, result=_renamed_result(answer.result, names), warnings=said, output=output)


def portable(error: Exception) -> Exception:
    """The error if it can be sent to another process, else a TaskError that says the same."""
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its own methods raise
        copy = None
    if type(copy) is type(error) and str(copy) == str(error):
        return error
    return TaskError(f"{type(error).__name__}: {error}")


def _renamed_result(result: Result, names: Mapping[str, str]) -> Result:
    if isinstance(result, Outcome):
        fields = {key: _renamed(value, names) for key, value in result.fields.items()}
        return replace(result, fields=fields, text=_renamed_text(result.text, names))
    result.args = tuple(_renamed_text(each, names) if isinstance(each, str) else each for each in result.args)
    attributes = [*vars(result), *(("filename", "filename2") if isinstance(result, OSError) else ())]
    for name in attributes:
        if isinstance(value := getattr(result, name), str):
            setattr(result, name, _renamed_text(value, names))
    return result


def _renamed(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return _renamed_text(value, names)
    if isinstance(value, Mapping):
        return {key: _renamed(each, names) for key, each in value.items()}
    return [_renamed(each, names) for each in value] if isinstance(value, Sequence) else value


def _renamed_text(text: str, names: Mapping[str, str]) -> str:
    for name, known in names.items():
        text = text.replace(name, known)
    return text
