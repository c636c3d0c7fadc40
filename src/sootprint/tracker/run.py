"""`sootprint.track`: a context manager and decorator around a piece of training."""

from __future__ import annotations

import atexit
import contextvars
import functools
import os
import sys

from sootprint.tracker.worker import Worker, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Any, TypeVar, overload

    from sootprint.core.records import Footprint

    F = TypeVar("F", bound=Callable[..., Any])

STOP_WAIT_S = 5.0
ANSWER_WAIT_S = 2.0
EXAMPLE = "{'Image Classification/ImageNet/Top-1 accuracy': 76.1}"


class Run:
    """A measured run: use it as a context manager or a decorator, or call `start` and `stop`.

    Nothing in it raises into the training, ends the process or waits for a network. A wrong setting is warned of
    once, and the run is measured without it.

    Args:
        name: Name of the run.
        tags: Tags of the run.
        model: Name of the model that is trained.
        results: Results that are known already, by TASK/DATASET[:SPLIT]/METRIC; others come with `result`.
        settings: Fields of `sootprint.settings.Settings`, e.g. `zone="FR"`, `pue=1.2`, `project="thesis"`.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        model: str | None = None,
        results: Mapping[str, float] | None = None,
        **settings: Any,
    ) -> None:
        self._name = name
        self._tags = tags
        self._about: dict[str, Any] = {"model": model, "results": results}
        self._arguments = settings
        self._worker: Worker | None = None
        self._pid = 0
        self._measuring = False

    @property
    def id(self) -> str | None:
        """Identity of the run, known from its start."""
        return self._worker.id if self._worker else None

    @property
    def footprint(self) -> Footprint | None:
        """Footprint after the end; None before, and where nothing could be measured.

        Of a job's ranks on one machine one writes the record: the others give what it has written so far.
        """
        if self._worker is None or self._measuring:
            return None
        return self._worker.footprint or self._worker.footprint_of_job()

    def start(self, *, inside: Run | None = None) -> Run:
        """This run, being measured; a second start changes nothing, and after the end is warned of.

        Args:
            inside: Run that it is a part of, where another thread started that; else the last one started here.
        """
        if self._worker is not None:
            if not self._measuring:
                _warn("a run that has ended is not measured again: make another one with sootprint.track()")
        else:
            self._worker, self._pid = self._made(inside), os.getpid()
            self._worker.start()
            self._measuring = True
            _current.set((*_current.get(), self))
            atexit.register(self.stop)
        return self

    def _made(self, inside: Run | None) -> Worker:
        started = _current.get() if inside is None else (inside,)
        around = [run for run in started if run._measuring]
        tags = self._tags if self._tags is None or hasattr(self._tags, "items") else None
        if tags is not self._tags:
            _warn(f"tags={self._tags!r:.80} must be a mapping such as {{'seed': '1'}}; measuring without it")
        made = Worker(
            arguments=self._arguments,
            name=self._name,
            tags=tags,
            about=self._known_about(),
            parent=around[-1].id if around else None,
            on_warning=_warn,
        )
        if "mlflow" in sys.modules or "wandb" in sys.modules:
            from sootprint.tracker.joined import begun

            made.joined = begun()
        return made

    def _known_about(self) -> dict[str, Any]:
        """What was said of the model, without what cannot be used."""
        made = dict(self._about)
        if made["results"] is not None and not hasattr(made["results"], "items"):
            _warn(
                f"results={made['results']!r:.80} must be a mapping such as {EXAMPLE}; measuring without it"
            )
            made["results"] = None
        if made["model"] is not None:
            made["model"] = text_of(made["model"])
        return made

    def stop(self) -> Footprint | None:
        """Footprint of the run, stored; a second stop, or one in a forked child, changes nothing."""
        if self._worker is None or self._pid != os.getpid():
            return None
        if self._measuring:
            self._measuring = False
            _current.set(tuple(run for run in _current.get() if run is not self))
            atexit.unregister(self.stop)
            if not self._worker.stop(wait_s=STOP_WAIT_S):
                _warn(
                    f"a device or disk does not answer: after {STOP_WAIT_S:.0f} s the program goes on; where no record "
                    "follows, `sootprint recover` makes it"
                )
        return self.footprint

    def so_far(self) -> Footprint | None:
        """Footprint until now, while the run goes on; None where nothing was measured yet, or nothing answers in time.

        What is looked at every few seconds only, as a plug is, is as of its last look.
        """
        if self._worker is None:
            return None
        return self._worker.so_far(wait_s=ANSWER_WAIT_S)

    def span(self, name: str, *, total: float | None = None) -> Span:
        """Context of a named part of the run; spans may nest and overlap.

        Args:
            name: Name of the part, e.g. "epoch".
            total: Number of such parts in the whole run, which is then forecast from the first of them; of other
                parts than its units, such as evaluations, how many the forecast counts on.
        """
        return Span(self._worker, name, total)

    def log(self, metric: str, value: float) -> None:
        """Note a metric's value at the energy spent so far, e.g. `run.log("accuracy", 0.97)`."""
        if self._worker is not None:
            self._worker.log(metric, value)

    def result(self, name: str, value: float) -> None:
        """Note a result of the model, e.g. `run.result("Image Classification/ImageNet/Top-1 accuracy", 76.1)`.

        Args:
            name: TASK/DATASET[:SPLIT]/METRIC, as the hub's leaderboards name them; "robustness:" or "fairness:" may
                stand before it.
            value: Value in the metric's own unit; a later one replaces it.
        """
        if self._worker is not None:
            self._worker.result(name, value)

    def __enter__(self) -> Run:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __call__(self, function: F) -> F:
        """The function, measured as a run of its own each time it is called.

        The run of a generator lasts from its first value until its end, with all that is done between its values.
        """
        name = self._name or getattr(function, "__name__", None)

        def fresh() -> Run:
            return Run(name, tags=self._tags, **self._about, **self._arguments)

        made: F = measured(function, fresh)
        return made


class Span:
    """A named part of a run, as a context manager."""

    def __init__(self, worker: Worker | None, name: str, total: float | None = None) -> None:
        self._worker = worker
        self._name = name
        self._total = total
        self._number: int | None = None

    def __enter__(self) -> Span:
        self._number = self._worker.open_span(self._name, self._total) if self._worker else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None and self._number is not None:
            self._worker.close_span(self._number)


if TYPE_CHECKING:

    @overload
    def track(name: F, /) -> F: ...
    @overload
    def track(name: str | None = None, **settings: Any) -> Run: ...


def track(name: Any = None, **settings: Any) -> Any:
    """A run to measure, as context manager or decorator.

    Args:
        name: Name of the run, or the function itself when used as a bare decorator.
        settings: Settings of this run, e.g. `zone="FR"`, `pue=1.2`, `tags={"k": "v"}`.

    >>> with track("example", zone="FR") as run:  # doctest: +SKIP
    ...     train()
    """
    if callable(name) or isinstance(name, classmethod):
        return Run()(name)
    return Run(name, **settings)


def measured(function: Any, fresh: Callable[[], AbstractContextManager[Any]]) -> Any:
    """A function of the same kind that is measured from its beginning to its end, each time it is called.

    The run of a generator lasts from its first value until its end, with all that is done between its values.

    Args:
        function: Function, coroutine function, generator function, static or class method.
        fresh: Makes what measures one call.
    """
    import contextlib
    import inspect

    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(measured(function.__func__, fresh))
    if inspect.iscoroutinefunction(function):

        async def measured_coroutine(*args: Any, **kwargs: Any) -> Any:
            with fresh():
                return await function(*args, **kwargs)

        return functools.wraps(function)(measured_coroutine)
    if inspect.isasyncgenfunction(function):

        async def measured_asyncgen(*args: Any, **kwargs: Any) -> Any:
            with fresh():
                async with contextlib.aclosing(function(*args, **kwargs)) as values:
                    step = values.asend(None)
                    with contextlib.suppress(StopAsyncIteration):
                        while True:
                            value = await step
                            with _Caught() as thrown:
                                step = values.asend((yield value))
                            step = step if thrown.error is None else values.athrow(thrown.error)

        return functools.wraps(function)(measured_asyncgen)
    if inspect.isgeneratorfunction(function):

        def measured_generator(*args: Any, **kwargs: Any) -> Any:
            with fresh():
                return (yield from function(*args, **kwargs))

        return functools.wraps(function)(measured_generator)

    def measured_call(*args: Any, **kwargs: Any) -> Any:
        with fresh():
            return function(*args, **kwargs)

    return functools.wraps(function)(measured_call)


class _Caught:
    """An error that somebody throws into a generator, for the one behind it."""

    error: Exception | None = None

    def __enter__(self) -> _Caught:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


_current: contextvars.ContextVar[tuple[Run, ...]] = contextvars.ContextVar("sootprint_runs", default=())


def _warn(text: str) -> None:
    """One line for a person: to the program's logging, or to stderr where the program never loaded logging."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger("sootprint").warning("%s", text)
    elif sys.stderr is not None:
        sys.stderr.write(f"sootprint: {text}\n")
