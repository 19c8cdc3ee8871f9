"""Background work: what can be run, how it is queued, run, stopped and taken up again, and what came of it.

    kinds          what a kind of job is: plan, prepare, run(report); how a run ends
    running        queue -> run -> end, in the worker or in the foreground, and after a kill
    report         how a running job tells where it is, and hears that it should stop
    worker         one thread that runs what is queued
    workshop       what trains an adapter on the backbone; adapter_work, the way of such a job
    sft, grpo      an adapter learns from traces, or from rollouts
    export         traces as files; needs no model
    collect        the policy attempts examples, and its traces wait in the queue
    evaluate       the same with a summary and all that a score depends on
    attempts       the way of both; asking, how examples are asked; keeping, what is recorded; answering, who answers
    measuring      before and after, as a job's record asks for it
    promotion      from a trained adapter to what answers, and back

A new kind is a module with a class that has `name`, `title`, `plan` and `prepare` (`kinds.Kind`), a title in
`kinds.TITLES`, and a place in the table that the worker is given (`app.build_studio`).
"""
