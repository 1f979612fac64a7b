using System.Text.Json;

namespace NodeStash.Core.Jobs;

/// <summary>Sends jobs to their queues.</summary>
public sealed class JobSender(IJobQueues queues)
{
    public ValueTask Send(Job job, CancellationToken ct) => Send(job, TimeSpan.Zero, ct);

    /// <inheritdoc cref="IJobQueues.Send"/>
    public ValueTask Send(Job job, TimeSpan delay, CancellationToken ct) =>
        queues.Send(job.Queue, JsonSerializer.Serialize(job, job.GetType(), JobJson.Default), delay, ct);
}
