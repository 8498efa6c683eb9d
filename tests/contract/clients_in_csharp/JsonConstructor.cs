// .NET 3.1 lacks this attribute, which .NET has since 5.
namespace System.Text.Json.Serialization
{
    [System.AttributeUsage(System.AttributeTargets.Constructor)]
    public sealed class JsonConstructorAttribute : System.Attribute
    {
    }
}
