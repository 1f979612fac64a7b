using System.Text.Json;

namespace NodeStash.Core.Jobs;

/// <summary>Serializes jobs and sends them to their queues.</summary>
public sealed class JobSender(IJobQueues queues)
{
    /// <summary>Sends a job to be run at once. Throws as <see cref="IJobQueues.Send"/> does.</summary>
    public ValueTask Send(Job job, CancellationToken ct) => Send(job, TimeSpan.Zero, ct);

    /// <inheritdoc cref="IJobQueues.Send"/>
    public ValueTask Send(Job job, TimeSpan delay, CancellationToken ct) =>
        queues.Send(job.Queue, JsonSerializer.Serialize(job, job.GetType(), JobJson.Default), delay, ct);
}
