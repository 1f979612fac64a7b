namespace NodeStash.Functions.Api.Http;

/// <summary>Marks a function that asks for the operator's secret, and takes no credential of a workspace.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ForOperatorAttribute : Attribute;
